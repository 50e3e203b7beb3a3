"""Ranges of objects: the right bytes, each fetched once, and little in vain."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.backends.s3.ranges import BLOCK_BYTES, ObjectVersion, Ranges
from podjobs.contract.errors import FileChangedError, RetryableError, StepError

CONTENT = random.Random(1).randbytes(40 * BLOCK_BYTES + 123)
VERSION = ObjectVersion("videos/x.mp4", '"etag"', len(CONTENT))
ROOMY = 64 << 20
positions = st.one_of(
    st.integers(0, len(CONTENT) - 1),
    st.integers(0, len(CONTENT) // BLOCK_BYTES).map(lambda number: number * BLOCK_BYTES),
    st.integers(1, len(CONTENT) // BLOCK_BYTES).map(lambda number: number * BLOCK_BYTES - 1),
)


class Source:
    """An object, and what is fetched of it."""

    def __init__(self, content=CONTENT):
        self.content = content
        self.fetched: list[tuple[int, int]] = []
        self.error: StepError | None = None
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, _key, etag, first, last):
        self.fetched.append((first, last))
        self.hold.wait(30)
        if self.error:
            raise self.error
        if etag != VERSION.etag:
            raise FileChangedError("The file was changed.")
        return self.content[first : last + 1]

    @property
    def fetched_bytes(self):
        return sum(last - first + 1 for first, last in self.fetched)


def read(ranges, first=0, last=VERSION.size_bytes - 1, version=VERSION):
    return b"".join(ranges.read(version, first, last))


def settled(source):
    """Once nothing is fetched any more: what is ahead of a reader is fetched by threads."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and "_perform" in thread.name:
            thread.join()
    return source


@given(st.lists(st.tuples(positions, positions), min_size=1, max_size=20), st.sampled_from([1, 4, 2000]))
def test_every_range_has_its_bytes_however_small_the_cache(pairs, blocks):
    ranges = Ranges(Source(), blocks * BLOCK_BYTES)
    for first, last in (sorted(pair) for pair in pairs):
        assert read(ranges, first, last) == CONTENT[first : last + 1]


def test_readers_at_once_fetch_every_byte_once():
    source = Source()
    ranges = Ranges(source, ROOMY)
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: read(ranges), range(32))) == {CONTENT}
    assert settled(source).fetched_bytes == len(CONTENT)


def test_block_that_many_want_is_fetched_once():
    source = Source()
    source.hold.clear()
    ranges = Ranges(source, ROOMY)
    with ThreadPoolExecutor(8) as pool:
        readings = [pool.submit(read, ranges, 0, 10) for _ in range(8)]
        source.hold.set()
        assert {reading.result() for reading in readings} == {CONTENT[:11]}
    assert source.fetched == [(0, BLOCK_BYTES - 1)]


def test_what_was_read_is_read_again_from_memory():
    source = Source()
    ranges = Ranges(source, ROOMY)
    read(ranges)
    before = len(settled(source).fetched)
    assert read(ranges) == CONTENT
    assert len(settled(source).fetched) == before


def test_cache_keeps_no_more_than_it_may():
    ranges = Ranges(settled(Source()), 8 * BLOCK_BYTES)
    read(ranges)
    assert sum(map(len, ranges._kept.values())) <= 8 * BLOCK_BYTES
    assert not ranges._coming


def test_one_seek_fetches_one_block():
    source = Source()
    for _ in islice(Ranges(source, ROOMY).read(VERSION, 5 * BLOCK_BYTES + 7, len(CONTENT) - 1), 1):
        pass
    assert settled(source).fetched == [(5 * BLOCK_BYTES, 6 * BLOCK_BYTES - 1)]


@pytest.mark.parametrize("blocks", [1, 2, 5, 17, 150, 1000])
def test_sequence_that_ends_has_fetched_a_quarter_too_much_at_most(blocks):
    """And a block; from 2 MB on less, down to a sixteenth."""
    content = bytes(2000 * BLOCK_BYTES)
    source, version = Source(content), VERSION._replace(size_bytes=len(content))
    for _ in islice(Ranges(source, ROOMY).read(version, 0, len(content) - 1), blocks):
        pass
    used = blocks * BLOCK_BYTES
    assert settled(source).fetched_bytes <= used + max(BLOCK_BYTES, min(used / 4, max(512 << 10, used / 16)))


def test_long_sequence_is_fetched_in_few_requests():
    content = bytes(2000 * BLOCK_BYTES)
    source, version = Source(content), VERSION._replace(size_bytes=len(content))
    read(Ranges(source, ROOMY), 0, len(content) - 1, version)
    assert source.fetched_bytes == len(content)
    assert len(source.fetched) < 150


def test_places_of_the_same_length_are_fetched_in_one_request_each():
    """Key frames, for instance: as much as each of the last four readers has read."""
    source = Source()
    ranges = Ranges(source, ROOMY)
    for place in range(4):
        read(ranges, place * 8 * BLOCK_BYTES, (place * 8 + 3) * BLOCK_BYTES - 1)
    source.fetched.clear()
    read(ranges, 33 * BLOCK_BYTES, 36 * BLOCK_BYTES - 1)
    assert settled(source).fetched == [(33 * BLOCK_BYTES, 36 * BLOCK_BYTES - 1)]


def test_error_reaches_every_reader_that_waits_and_none_that_comes_later():
    source = Source()
    ranges = Ranges(source, ROOMY)
    source.error = RetryableError("The storage is busy.")
    source.hold.clear()
    with ThreadPoolExecutor(4) as pool:
        readings = [pool.submit(read, ranges, 0, 10) for _ in range(4)]
        source.hold.set()
        for reading in readings:
            assert isinstance(reading.exception(), RetryableError)
    source.error = None
    assert read(ranges) == CONTENT


def test_object_that_was_changed_is_not_read_on():
    with pytest.raises(FileChangedError):
        read(Ranges(Source(), ROOMY), version=VERSION._replace(etag='"older"'))


def test_answer_that_is_too_short_is_an_error():
    """Else what follows would be taken for it."""
    with pytest.raises(RetryableError, match="returned 100 bytes"):
        read(Ranges(Source(CONTENT[:100]), ROOMY))
