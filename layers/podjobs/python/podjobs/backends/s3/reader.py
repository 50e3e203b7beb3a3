"""Reads an object, from its beginning to its end or a part of it, whatever happens to the connection."""

import contextlib
import io
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError
from typing_extensions import override
from urllib3.exceptions import HTTPError

from podjobs.backends.s3.bucket import Bucket
from podjobs.contract.errors import OperatorNeededError
from podjobs.contract.media_paths import Key

BUFFER_BYTES = 1 << 18
BROKEN = (BotoCoreError, HTTPError, OSError)
"""What reading from a connection raises when it breaks."""


def open_object(bucket: Bucket, key: Key, etag: str, size_bytes: int, first: int = 0) -> BinaryIO:
    """Open one version of an object; nothing is requested before it is read.

    Args:
        bucket: contains it.
        key: of the file.
        etag: of the version.
        size_bytes: of the version.
        first: position of the first byte that is read.
    """
    return io.BufferedReader(_ObjectStream(bucket, key, etag, size_bytes, first), BUFFER_BYTES)


def read_range(bucket: Bucket, key: Key, etag: str, first: int, last: int) -> bytes:
    """Read a part of one version of an object, in one request.

    Args:
        bucket: contains it.
        key: of the file.
        etag: of the version.
        first: position of the first byte.
        last: position of the last byte, which is in the object.

    Raises:
        FileChangedError: it was replaced.
        OperatorNeededError: the server does not give parts.
        StepError: it cannot be read.
    """
    what = f"The file {bucket.shown(key)!r} cannot be read"
    attempts = bucket.settings.podjobs_s3_attempts
    for attempt in range(1, attempts + 1):
        with bucket.errors(what):
            answer = _request(bucket, key, etag, first, last)
            try:
                content = bytes(answer["Body"].read())
                if len(content) != last - first + 1:
                    raise OSError(f"{len(content)} of {last - first + 1} bytes came")
            except BROKEN:
                answer["Body"].close()
                if attempt == attempts:
                    raise
            else:
                return content
    raise AssertionError("The last attempt raises.")  # pragma: no cover


def _request(bucket: Bucket, key: Key, etag: str, first: int, last: int | None = None) -> dict[str, Any]:
    """Request a part, up to a position or the end. Raises OperatorNeededError if the whole comes instead."""
    wanted = f"bytes={first}-{'' if last is None else last}"
    answer = bucket.client.get_object(Bucket=bucket.name, Key=bucket.object_key(key), IfMatch=etag, Range=wanted)
    is_part = first > 0 or last is not None
    if is_part and "ContentRange" not in answer:
        answer["Body"].close()
        raise OperatorNeededError(
            f"The file {bucket.shown(key)!r} cannot be read: {bucket.where} does not give parts of files. Update the "
            "server, or let what stands between pass on the header Range."
        )
    return dict(answer)


class _ObjectStream(io.RawIOBase):
    """One request for the whole; if the connection breaks, another one for the rest."""

    def __init__(self, bucket: Bucket, key: Key, etag: str, size_bytes: int, first: int) -> None:
        self._bucket, self._key, self._etag, self._size_bytes = bucket, key, etag, size_bytes
        self._position = first
        self._body: Any = None

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        if not self._position < self._size_bytes:
            return 0
        what = f"The file {self._bucket.shown(self._key)!r} cannot be read"
        with self._bucket.errors(what):
            for attempt in range(1, self._bucket.settings.podjobs_s3_attempts + 1):
                try:
                    content = self._read(len(buffer))
                except BROKEN:
                    self._drop()
                    if attempt == self._bucket.settings.podjobs_s3_attempts:
                        raise
                else:
                    buffer[: len(content)] = content
                    return len(content)
        raise AssertionError("The last attempt raises.")  # pragma: no cover

    def _read(self, most_bytes: int) -> bytes:
        if self._body is None:
            self._body = _request(self._bucket, self._key, self._etag, self._position)["Body"]
        content = bytes(self._body.read(most_bytes))
        if not content:
            raise OSError(f"it ended after {self._position} of {self._size_bytes} bytes")
        self._position += len(content)
        return content

    def _drop(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            with contextlib.suppress(*BROKEN):
                body.close()

    @override
    def close(self) -> None:
        self._drop()
        super().close()
