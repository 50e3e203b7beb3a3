"""Copies objects within a bucket: the server does it, their bytes do not come here.

A copy appears in one moment, and not at all if the original is deleted before: whoever publishes relies on that.
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
        _copy_in_parts(bucket, source, found, place, options)
        return
    with bucket.errors(what):
        bucket.client.copy_object(CopySource=origin, MetadataDirective="REPLACE", **place, **options)


def _copy_in_parts(
    bucket: Bucket, source: Key, found: dict[str, Any], place: dict[str, str], options: dict[str, Any]
) -> None:
    """Copy a large object, unless it is deleted or replaced before all of it is copied."""
    what = f"The file {bucket.shown(source)!r} cannot be copied"
    client, size_bytes = bucket.client, found["ContentLength"]
    original = {
        "CopySource": {"Bucket": bucket.name, "Key": bucket.object_key(source)},
        "CopySourceIfMatch": found["ETag"],
    }
    with bucket.errors(what):
        upload = {**place, "UploadId": client.create_multipart_upload(**place, **options)["UploadId"]}

    def copy_part(number: int) -> dict[str, Any]:
        first = (number - 1) * PART_BYTES
        span = f"bytes={first}-{min(first + PART_BYTES, size_bytes) - 1}"
        with bucket.errors(what):
            answer = client.upload_part_copy(**upload, **original, PartNumber=number, CopySourceRange=span)
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    try:
        with ThreadPoolExecutor(PARALLEL_PARTS) as pool:
            parts = list(pool.map(copy_part, range(1, -(-size_bytes // PART_BYTES) + 1)))
        _check_there(bucket, source, what)  # it may have taken long
        with bucket.errors(what):
            client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    except BaseException:
        with contextlib.suppress(StepError), bucket.errors(what):
            client.abort_multipart_upload(**upload)
        raise


def _check_there(bucket: Bucket, source: Key, what: str) -> None:
    if bucket.head(source) is None:
        raise MissingFileError(f"{what}: it is not there.")
