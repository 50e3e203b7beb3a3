"""Writes files into a bucket: in parts, in parallel, with checksums, each one atomically.

What a broken upload leaves is seen by no reader, but kept and paid for: it is aborted here if the upload fails, with
the job's work folder if the process was killed, and else by `podjobs clean`.
"""

import mimetypes
import posixpath
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from boto3.s3.transfer import TransferConfig, create_transfer_manager

from podjobs.backends.s3.bucket import Bucket
from podjobs.contract.errors import StepError
from podjobs.contract.media_paths import Key

logger = structlog.get_logger(__name__)

CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".m4a": "audio/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".nut": "application/octet-stream",
}
"""Where Python's table has none, or another one."""
PARALLEL_PARTS = 4
MOST_DELETED = 1000
"""Objects in one request. Source: Amazon S3, DeleteObjects."""
CHECKSUMS = {"sha256": "SHA256", "crc32": "CRC32"}


def content_type(key: Key) -> str:
    """The media type that browsers expect of a file."""
    suffix = posixpath.splitext(key)[1].lower()
    return CONTENT_TYPES.get(suffix) or mimetypes.types_map.get(suffix) or "application/octet-stream"


def write_options(bucket: Bucket, key: Key, *, is_work: bool) -> dict[str, Any]:
    """The options of every write.

    Args:
        bucket: its settings count.
        key: of the file.
        is_work: whether it is a work file, which is removed soon.
    """
    settings = bucket.settings
    options: dict[str, Any] = {"ContentType": content_type(key)}
    if settings.podjobs_s3_storage_class and not is_work:
        options["StorageClass"] = settings.podjobs_s3_storage_class
    method, _, key_id = settings.podjobs_s3_encryption.partition("aws:kms:")
    if key_id:
        options |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id}
    elif method:
        options["ServerSideEncryption"] = method
    return options


def checksum_options(bucket: Bucket) -> dict[str, Any]:
    """The option that makes an upload carry a checksum, which the server verifies."""
    algorithm = CHECKSUMS.get(bucket.settings.podjobs_s3_checksum)
    return {"ChecksumAlgorithm": algorithm} if algorithm else {}


def upload(bucket: Bucket, file: Path, key: Key) -> None:
    """Upload a local file as a work file.

    Raises:
        StepError: it could not be uploaded; what was is removed.
    """
    part_bytes = bucket.settings.podjobs_s3_part_mb << 20
    options = write_options(bucket, key, is_work=True) | checksum_options(bucket)
    if file.stat().st_size <= part_bytes:
        with file.open("rb") as content:
            bucket.put(key, content, **options)
        return
    # the SDK's other client, where it is installed, takes over on some machines and does not know our settings
    config = TransferConfig(
        multipart_threshold=part_bytes,
        multipart_chunksize=part_bytes,
        max_concurrency=PARALLEL_PARTS,
        preferred_transfer_client="classic",
    )
    object_key = bucket.object_key(key)
    what = f"The file {bucket.shown(key)!r} cannot be written"
    with bucket.errors(what), create_transfer_manager(bucket.client, config) as manager:
        manager.upload(str(file), bucket.name, object_key, extra_args=options).result()


def delete_all(bucket: Bucket, object_keys: Iterable[str]) -> None:
    """Delete any number of objects. Raises StepError."""
    waiting = list(object_keys)
    while waiting:
        now, waiting = waiting[:MOST_DELETED], waiting[MOST_DELETED:]
        with bucket.errors("Files cannot be removed"):
            wanted = {"Objects": [{"Key": key} for key in now], "Quiet": True}
            answer = bucket.client.delete_objects(Bucket=bucket.name, Delete=wanted)
        for failed in answer.get("Errors", ()):
            logger.warning("A file could not be removed.", file=failed.get("Key"), reason=failed.get("Code"))


def abort_uploads(bucket: Bucket, folder: Key = "", begun_before_s: float = 0.0, *, dry_run: bool = False) -> int:
    """Abort the incomplete uploads of a folder.

    Args:
        bucket: the bucket.
        folder: the folder; empty: everything below the bucket's prefix.
        begun_before_s: only those that were begun at least so long ago, in seconds.
        dry_run: abort nothing, only count.

    Returns:
        How many there were.

    Raises:
        StepError: they cannot be listed.
    """
    prefix = f"{bucket.object_key(folder)}/" if folder else bucket.object_key("-")[:-1]
    latest = datetime.now(UTC) - timedelta(seconds=begun_before_s)
    aborted = 0
    with bucket.errors("Unfinished uploads cannot be listed"):
        pages = bucket.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket.name, Prefix=prefix)
        found = [one for page in pages for one in bucket.checked(page, "Bucket").get("Uploads", ())]
    unfinished = [one for one in found if one["Initiated"] <= latest]
    if dry_run:
        return len(unfinished)
    for one in unfinished:
        try:
            with bucket.errors("An unfinished upload cannot be removed"):
                bucket.client.abort_multipart_upload(Bucket=bucket.name, Key=one["Key"], UploadId=one["UploadId"])
                aborted += 1
        except StepError as error:  # it was completed or removed meanwhile, or will be found again
            logger.info(error.detail, file=one["Key"])
    return aborted
