"""The cut into chunks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.encoding.recipe import choose_chunk_s, cut_into_chunks


@pytest.mark.parametrize(
    ("duration_s", "chunk_s"),
    [
        (0, 8),
        (30, 8),
        (48 * 8, 8),
        (48 * 9, 10),  # 9 s lies between two segments of 2 s
        (20 * 60, 26),  # 1200 / 48 = 25
        (2 * 3600, 60),
        (10 * 3600, 60),
    ],
)
def test_choose_chunk_s_duration_decides_on_the_segment_grid(duration_s, chunk_s):
    assert choose_chunk_s(duration_s, shortest_s=8, longest_s=60, aim=48, grid_s=2) == chunk_s


def test_cut_into_chunks_rest_shorter_than_half_joins_the_last():
    chunks = cut_into_chunks(19.9, 8, ends=False)
    assert [(chunk.start_s, chunk.end_s, chunk.expected_end_s) for chunk in chunks] == [(0, 8, 8), (8, None, 19.9)]


def test_cut_into_chunks_of_a_cut_ends_exactly():
    chunks = cut_into_chunks(21.5, 8, ends=True)
    assert [(chunk.start_s, chunk.end_s) for chunk in chunks] == [(0, 8), (8, 16), (16, 21.5)]


def test_cut_into_chunks_unknown_duration_is_one_open_chunk():
    (chunk,) = cut_into_chunks(None, 8, ends=False)
    assert (chunk.start_s, chunk.end_s, chunk.expected_end_s) == (0, None, None)


def test_cut_into_chunks_second_generation_is_one_chunk_of_a_new_name():
    (chunk,) = cut_into_chunks(100, 8, ends=True, generation=1)
    assert (chunk.name, chunk.start_s, chunk.end_s) == ("chunk-0000-1", 0, 100)


@given(duration_s=st.floats(0.01, 40_000), chunk_s=st.integers(2, 60), ends=st.booleans())
def test_cut_into_chunks_any_duration_leaves_no_gap_and_no_overlap(duration_s, chunk_s, ends):
    chunks = cut_into_chunks(duration_s, chunk_s, ends=ends)
    assert chunks[0].start_s == 0
    assert all(before.end_s == after.start_s for before, after in pairwise(chunks))
    assert chunks[-1].end_s == (duration_s if ends else None)
    assert len({chunk.name for chunk in chunks}) == len(chunks)
    assert all(chunk.start_s < chunk.expected_end_s for chunk in chunks)
