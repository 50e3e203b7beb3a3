"""Reads byte ranges of objects: in blocks, which are kept in memory, and ahead of a reader that goes on.

    a new place   is read in one request as far as the last places were, as key frames are alike; else a block
    a sequence    is fetched in runs of blocks, each while the one before it is used. They grow with the sequence, so
                  that what was fetched in vain, when it ends, is a small share of what was used.

A block is fetched once, however many readers want it, and kept until others need its place: all commands of a plan
read the same index. See docs/decisions/0038-ffmpeg-reads-through-a-gateway.md for the sizes.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import groupby
from typing import NamedTuple

from podjobs.contract.errors import RetryableError, StepError

BLOCK_BYTES = 32 << 10
FIRST_SHARE, FIRST_AHEAD_BYTES = 4, 512 << 10
"""What is fetched ahead is at most this part of what was read in sequence, up to so many bytes …"""
AHEAD_SHARE, MOST_AHEAD_BYTES = 16, 16 << 20
"""… and then at most this part, up to so many."""
PLACES = 4
"""So many last places tell how much is read at the next one: the least of them."""
MOST_VERSIONS = 64
"""Of objects whose last places are known."""
CACHE_SHARE = 4
"""One reader's advance takes at most this part of the cache."""

Fetch = Callable[[str, str, int, int], bytes]
"""Reads the bytes from one offset to another, both included, of the object of a key while it has an ETag. Raises a
StepError: FileChangedError if it has another one."""


class ObjectVersion(NamedTuple):
    """One content of one object."""

    key: str
    etag: str
    size_bytes: int


class _BlockId(NamedTuple):
    version: ObjectVersion
    number: int


class _Run(NamedTuple):
    """Blocks that one request fetches."""

    version: ObjectVersion
    first: int
    end: int
    """The number of the block after the last one."""
    content: Future[bytes]

    def block(self, number: int) -> bytes:
        """Wait for one of them. Raises StepError."""
        begin = (number - self.first) * BLOCK_BYTES
        return self.content.result()[begin : begin + BLOCK_BYTES]

    def ids(self) -> Iterator[_BlockId]:
        """Its blocks, in order."""
        return (_BlockId(self.version, number) for number in range(self.first, self.end))


class Ranges:
    """Reads ranges of objects, and keeps what it has read. All threads of a process share one."""

    def __init__(self, fetch: Fetch, cache_bytes: int) -> None:
        """Nothing is fetched yet.

        Args:
            fetch: reads a range of an object.
            cache_bytes: of blocks that are kept.
        """
        self._fetch = fetch
        self._most_blocks = max(1, cache_bytes // BLOCK_BYTES)
        self._most_ahead_bytes = min(MOST_AHEAD_BYTES, cache_bytes // CACHE_SHARE)
        self._lock = threading.Lock()
        self._kept: OrderedDict[_BlockId, bytes] = OrderedDict()
        self._coming: dict[_BlockId, _Run] = {}
        self._lengths: OrderedDict[ObjectVersion, deque[int]] = OrderedDict()

    def read(self, version: ObjectVersion, first: int, last: int) -> Generator[bytes]:
        """Read a range piece by piece; what follows is fetched while a piece is used.

        Args:
            version: the object.
            first: offset of the first byte.
            last: offset of the last byte, within the object.

        Raises:
            StepError: that of the fetch; nothing else is read then.
        """
        position, end = first, last // BLOCK_BYTES + 1
        ahead_to = min((first + self._usual_bytes(version)) // BLOCK_BYTES, end)
        self._fetch_ahead(version, first // BLOCK_BYTES, ahead_to)
        try:
            while position <= last:
                number, begin = divmod(position, BLOCK_BYTES)
                ahead = self._choose_ahead(position - first)
                ahead_to, horizon = max(ahead_to, number + 1), min(number + 1 + ahead, end)
                # a new run once half of what may be ahead is used: the other half is used meanwhile
                if horizon > ahead_to and 2 * (horizon - ahead_to) >= ahead:
                    self._fetch_ahead(version, ahead_to, horizon)
                    ahead_to = horizon
                piece = self._block(version, number)[begin : last + 1 - number * BLOCK_BYTES]
                yield piece
                position += len(piece)
        finally:
            self._remember_length(version, position - first)

    def _choose_ahead(self, read_bytes: int) -> int:
        """How many blocks may be fetched ahead of a reader that has come so far."""
        ahead_bytes = min(read_bytes // FIRST_SHARE, max(FIRST_AHEAD_BYTES, read_bytes // AHEAD_SHARE))
        return min(ahead_bytes, self._most_ahead_bytes) // BLOCK_BYTES

    def _usual_bytes(self, version: ObjectVersion) -> int:
        """How much every one of the last readers has read; 0: there were too few."""
        with self._lock:
            lengths = self._lengths.get(version, ())
            return min(*lengths, self._most_ahead_bytes) if len(lengths) == PLACES else 0

    def _remember_length(self, version: ObjectVersion, read_bytes: int) -> None:
        with self._lock:
            self._lengths.setdefault(version, deque(maxlen=PLACES)).append(read_bytes)
            self._lengths.move_to_end(version)
            while len(self._lengths) > MOST_VERSIONS:
                self._lengths.popitem(last=False)

    def _block(self, version: ObjectVersion, number: int) -> bytes:
        """A block: kept, coming, or fetched now. Raises StepError."""
        wanted = _BlockId(version, number)
        with self._lock:
            if wanted in self._kept:
                self._kept.move_to_end(wanted)
                return self._kept[wanted]
            coming = self._coming.get(wanted)
            run = coming or self._begin(version, number, number + 1)
        if coming is None:
            self._perform(run)
        return run.block(number)

    def _fetch_ahead(self, version: ObjectVersion, first: int, end: int) -> None:
        """Fetch those of some blocks that are neither kept nor coming, without waiting for them."""
        runs = []
        with self._lock:
            for is_missing, numbers in groupby(range(first, end), partial(self._is_missing, version)):
                if is_missing:
                    stretch = list(numbers)
                    runs.append(self._begin(version, stretch[0], stretch[-1] + 1))
        for run in runs:
            threading.Thread(target=self._perform, args=(run,), daemon=True).start()

    def _is_missing(self, version: ObjectVersion, number: int) -> bool:
        wanted = _BlockId(version, number)
        return wanted not in self._kept and wanted not in self._coming

    def _begin(self, version: ObjectVersion, first: int, end: int) -> _Run:
        """Announce a run, so that nobody else fetches its blocks."""
        run = _Run(version, first, end, Future())
        self._coming |= dict.fromkeys(run.ids(), run)
        return run

    def _perform(self, run: _Run) -> None:
        """Fetch a run; whoever waits for it gets its content, or its error."""
        try:
            content = self._fetch_run(run)
        except BaseException as error:  # whatever it is, others may wait for it
            self._end(run)
            run.content.set_exception(error)
            if not isinstance(error, StepError):
                raise
        else:
            self._end(run, content)
            run.content.set_result(content)

    def _fetch_run(self, run: _Run) -> bytes:
        version = run.version
        begin, end = run.first * BLOCK_BYTES, min(run.end * BLOCK_BYTES, version.size_bytes)
        content = self._fetch(version.key, version.etag, begin, end - 1)
        if len(content) != end - begin:
            raise RetryableError(
                f"The storage returned {len(content)} bytes of {version.key!r} in the place of {end - begin}."
            )
        return content

    def _end(self, run: _Run, content: bytes | None = None) -> None:
        """Keep what has come of a run."""
        with self._lock:
            for place, block in enumerate(run.ids()):
                del self._coming[block]
                if content is not None:
                    self._kept[block] = content[place * BLOCK_BYTES : (place + 1) * BLOCK_BYTES]
            while len(self._kept) > self._most_blocks:
                self._kept.popitem(last=False)
