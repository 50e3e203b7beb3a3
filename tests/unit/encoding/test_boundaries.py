"""Where chunks begin."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.encoding.boundaries import (
    choose_chunk_s,
    choose_preroll_s,
    place_around_holds,
    place_boundaries,
    preferred_starts,
)
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.steps import chunk_id
from podjobs.media.facts import MediaFacts, VideoFacts


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


@pytest.mark.parametrize(
    ("key_frames_s", "starts_s"),
    [
        # none known: every 8 s; the rest of 2 s stays with the last
        ([], (0, 8, 16, 24, 32, 40)),
        # a key frame every 2 s: a seek half a second before 8 s reaches the one at 6 s
        (range(0, 50, 2), (0, 8, 16, 24, 32, 40)),
        # every 10 s: the first place on the grid after each
        (range(0, 50, 10), (0, 12, 22, 32, 42)),
        # every 5 s: 5 → 6, 10 → 12, 15 → 16 …
        (range(0, 50, 5), (0, 6, 12, 16, 22, 26, 32, 36, 42, 46)),
        # one in the whole file: nothing to gain
        ([0], (0, 8, 16, 24, 32, 40)),
    ],
)
def test_place_boundaries_follow_the_key_frames(key_frames_s, starts_s):
    assert place_boundaries(50, 8, preferred_starts(key_frames_s, 0.5, 2)) == starts_s


def test_place_boundaries_unknown_duration_is_one_chunk():
    assert place_boundaries(None, 8, {8.0}) == (0.0,)


@given(
    duration_s=st.floats(0.01, 4_000),
    chunk_s=st.integers(1, 30).map(lambda n: 2 * n),
    key_frames_s=st.lists(st.floats(-5, 4_100), max_size=300),
)
def test_place_boundaries_any_source_is_cut_completely_on_the_grid(duration_s, chunk_s, key_frames_s):
    starts_s = place_boundaries(duration_s, chunk_s, preferred_starts(key_frames_s, 0.5, 2))
    assert starts_s[0] == 0
    assert all(start_s % 2 == 0 for start_s in starts_s)
    assert all(chunk_s / 2 <= after - before <= 2 * chunk_s for before, after in pairwise(starts_s))
    assert starts_s == (0,) or duration_s - starts_s[-1] >= chunk_s / 2


@pytest.mark.parametrize(("frame_rate", "preroll_s"), [(25, 0.5), (60, 0.5), (1, 8), (0, 0.5)])
def test_choose_preroll_s_slow_sources_are_seeked_further_back(frame_rate, preroll_s):
    video = VideoFacts(index=0, codec="h264", width_px=64, height_px=64, frame_rate=frame_rate, start_s=0, frames=None)
    assert choose_preroll_s(video) == preroll_s


def recipe(**changes):
    facts = MediaFacts(format_name="mov", start_s=0, duration_s=20, video=None, audio=None)
    values = {
        "source": "x", "facts": facts, "renditions": (), "origin_s": 0, "duration_s": 20.5, "ends": False,
        "preroll_s": 0.5, "starts_s": (0.0, 8.0, 16.0),
    }  # fmt: skip
    return Recipe.model_validate(values | changes)


def spans(made):
    return [(chunk.start_s, chunk.end_s, chunk.expected_end_s) for chunk in made.chunks]


def test_chunks_last_one_is_open_as_headers_lie():
    assert spans(recipe()) == [(0, 8, 8), (8, 16, 16), (16, None, 20.5)]


def test_chunks_of_a_cut_end_exactly():
    assert spans(recipe(ends=True))[-1] == (16, 20.5, 20.5)


def test_chunks_of_the_second_generation_are_one_of_a_new_name():
    (chunk,) = recipe(generation=1, ends=True).chunks
    assert (chunk_id(chunk), chunk.start_s, chunk.end_s) == ("chunk-0000-1", 0, 20.5)


@pytest.mark.parametrize(
    ("duration_s", "moving_s", "starts_s"),
    [
        (16, (0, 16), (0, 8)),  # nothing is held
        (20, (0, 12.4), (0, 8, 16)),  # held for less than a chunk
        (3600, (0, 12.4), (0, 8, *range(14, 3600, 200))),
        (3600, (3588.3, 3600), (*range(0, 3600, 200), 3588, 3596)),
        (3600, (0, 0.04), (0, 2, *range(202, 3600, 200))),  # one picture
        (30, (3, 30), (0, 8, 16, 24)),
    ],
)
def test_place_around_holds_gives_held_pictures_few_chunks(duration_s, moving_s, starts_s):
    placed = place_around_holds(duration_s, 8, (), moving_s, grid_s=2)
    assert placed == tuple(float(start_s) for start_s in starts_s)


@given(
    st.floats(1, 40_000), st.integers(1, 30).map(lambda half: 2 * half), st.floats(0, 1), st.floats(0, 1),
    st.lists(st.integers(0, 20_000).map(lambda half: 2.0 * half), max_size=50),
)  # fmt: skip
def test_place_around_holds_starts_increase_and_lie_inside(duration_s, chunk_s, first, last, preferred_s):
    begin_s, end_s = sorted((first * duration_s, last * duration_s))
    starts_s = place_around_holds(duration_s, chunk_s, preferred_s, (begin_s, end_s), grid_s=2)
    assert starts_s[0] == 0
    assert all(before < after for before, after in pairwise(starts_s))
    assert starts_s[-1] < duration_s
    assert all(start_s % 2 == 0 for start_s in starts_s)
