"""A storage whose streams cannot seek, as those of object storage cannot."""

import io


class ForwardOnlyStorage:
    """Another storage; what it opens is read forward only."""

    def __init__(self, storage):
        self._storage = storage

    def __getattr__(self, name):
        return getattr(self._storage, name)

    def open(self, key):
        return io.BufferedReader(_ForwardOnly(self._storage.open(key)))


class _ForwardOnly(io.RawIOBase):
    """A stream that refuses to seek and to tell, as its base class does."""

    def __init__(self, stream):
        self._stream = stream

    def readable(self):
        return True

    def readinto(self, buffer):
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self):
        self._stream.close()
        super().close()
