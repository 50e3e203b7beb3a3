"""Copies objects within a bucket: the server does it, their bytes do not come here.

A copy appears in one moment, and not at all if the original is deleted before: whoever publishes relies on that.
"""

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

from podjobs.backends.s3.bucket import Bucket
from podjobs.backends.s3.uploads import PARALLEL_PARTS, write_options
from podjobs.contract.errors import MissingFileError, StepError
from podjobs.contract.media_paths import Key

AT_ONCE_BYTES = 1 << 30
"""Larger objects are copied in parts, side by side. A single copy may have 5 GiB. Source: Amazon S3, CopyObject."""
PART_BYTES = 256 << 20


def copy(bucket: Bucket, source: Key, target: Key) -> None:
    """Copy an object.

    Raises:
        MissingFileError: there is no such object, or no longer.
        StepError: it could not be copied.
    """
    what = f"The file {bucket.shown(source)!r} cannot be moved to {bucket.shown(target)!r}"
    found = bucket.head(source)
    if found is None:
        raise MissingFileError(f"{what}: it is not there.")
    # a copy in parts has no properties but those stated here
    options = write_options(bucket, target, is_work=False)
    origin = {"Bucket": bucket.name, "Key": bucket.object_key(source)}
    place = {"Bucket": bucket.name, "Key": bucket.object_key(target)}
    if found["ContentLength"] > AT_ONCE_BYTES:
        _copy_spans(bucket, _spans_of(source, found), place, options, what)
        return
    with bucket.errors(what):
        bucket.client.copy_object(CopySource=origin, MetadataDirective="REPLACE", **place, **options)


def join(bucket: Bucket, sources: Sequence[Key], target: Key) -> None:
    """Make one object of several, one after another.

    Args:
        bucket: contains them.
        sources: each but the last has at least 5 MiB. Source: Amazon S3, multipart upload limits.
        target: the whole.

    Raises:
        MissingFileError: there is no such object, or no longer.
        StepError: they could not be joined.
    """
    what = f"The file {bucket.shown(target)!r} cannot be joined"
    spans: list[_Span] = []
    for key in sources:
        found = bucket.head(key)
        if found is None:
            raise MissingFileError(f"{what}: {bucket.shown(key)!r} is not there.")
        spans += _spans_of(key, found)
    options = write_options(bucket, target, is_work=False)
    place = {"Bucket": bucket.name, "Key": bucket.object_key(target)}
    _copy_spans(bucket, spans, place, options, what)


class _Span(NamedTuple):
    """A part of an object."""

    key: Key
    etag: str
    first: int
    """Position of its first byte."""
    end: int
    """Position behind its last byte."""


def _spans_of(key: Key, found: dict[str, Any]) -> list[_Span]:
    """Divide an object into parts of equal size, none shorter than PART_BYTES unless it is the only one."""
    size_bytes = found["ContentLength"]
    count = max(1, size_bytes // PART_BYTES)
    ends = [size_bytes * number // count for number in range(count + 1)]
    return [_Span(key, found["ETag"], first, end) for first, end in pairwise(ends)]


def _copy_spans(
    bucket: Bucket, spans: Sequence[_Span], place: dict[str, str], options: dict[str, Any], what: str
) -> None:
    """Make an object of parts of others, unless one of these is deleted or replaced before all of it is copied."""
    client = bucket.client
    with bucket.errors(what):
        upload = {**place, "UploadId": client.create_multipart_upload(**place, **options)["UploadId"]}

    def copy_part(number: int, span: _Span) -> dict[str, Any]:
        with bucket.errors(what):
            answer = client.upload_part_copy(
                **upload,
                PartNumber=number,
                CopySource={"Bucket": bucket.name, "Key": bucket.object_key(span.key)},
                CopySourceIfMatch=span.etag,
                CopySourceRange=f"bytes={span.first}-{span.end - 1}",
            )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    try:
        with ThreadPoolExecutor(PARALLEL_PARTS) as pool:
            parts = list(pool.map(copy_part, range(1, len(spans) + 1), spans))
        for key in dict.fromkeys(span.key for span in spans):
            _check_there(bucket, key, what)  # it may have taken long
        with bucket.errors(what):
            client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except BaseException:
        with contextlib.suppress(StepError), bucket.errors(what):
            client.abort_multipart_upload(**upload)
        raise


def _check_there(bucket: Bucket, source: Key, what: str) -> None:
    if bucket.head(source) is None:
        raise MissingFileError(f"{what}: it is not there.")
