"""A storage whose streams cannot seek, as those of object storage cannot."""

import io
from typing import Any, BinaryIO

from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage


class ForwardOnlyStorage:
    """Another storage; what it opens is read forward only."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def open(self, key: Key, first: int = 0) -> BinaryIO:
        return io.BufferedReader(_ForwardOnly(self._storage.open(key, first)))


class _ForwardOnly(io.RawIOBase):
    """A stream without a position: `seek` and `tell` are refused, as its base class does."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()
