"""The comparison with plain ffmpeg finds what it is there for, and nothing else."""

import pytest

from support.corpus.places import compare_chirps, compare_frames, in_order
from support.corpus.watch import Shown

SLACK_S = 0.003


def shown(numbers, begin_s=0.0, step_s=0.04):
    return [Shown(number, begin_s + step_s * place) for place, number in enumerate(numbers)]


SOURCE = shown(range(10))


@pytest.mark.parametrize(
    ("made", "worse"),
    [
        (shown(range(10)), []),
        (shown(range(10), begin_s=1.48), []),  # a transport stream begins there
        (shown([*range(4), *range(5, 10)]), ["1 of 10 frames are missing (0.16 s)", "4 frames are beside their time"]),
        ([*SOURCE[:4], *SOURCE[5:]], ["1 of 10 frames are missing (0.16 s)"]),
        ([*SOURCE[:4], Shown(3, 0.16), *SOURCE[5:]], ["1 of 10 frames are missing", "1 frames are shown twice"]),
        (shown([0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9]), ["5 frames are beside their time", "1 frames are shown twice"]),
        ([*SOURCE[:-1], Shown(9, 0.40)], ["1 frames are beside their time, by up to 40 ms at 0.36 s"]),
        ([*SOURCE[:5], Shown(5, 0.16), *SOURCE[6:]], ["times do not increase", "1 frames are beside their time"]),
        (shown(range(20, 30)), ["none of 10 frames is there (10 others are)"]),
        ([], ["none of 10 frames is there"]),
    ],
)
def test_compare_frames_finds_each_fault(made, worse):
    found = compare_frames(SOURCE, made, SLACK_S).worse
    assert len(found) == len(worse)
    assert all(clause.startswith(begin) for clause, begin in zip(found, worse, strict=True))


def test_compare_frames_holes_that_are_filled_are_better():
    """Once a second, the frame before the hole."""
    source = [*shown(range(5)), *shown(range(5, 10), begin_s=3.0)]
    made = [*shown(range(5)), Shown(4, 1.16), Shown(4, 2.16), *shown(range(5, 10), begin_s=3.0)]
    found = compare_frames(source, made, SLACK_S)
    assert found.worse == []
    assert found.better == ["a picture is held where plain ffmpeg shows none (2 s)"]


def test_compare_frames_unreadable_ones_are_told_apart_by_their_time():
    source = [*SOURCE[:4], Shown(None, 0.16), *SOURCE[5:]]
    assert compare_frames(source, source, SLACK_S).worse == []
    assert compare_frames(source, SOURCE, SLACK_S).worse == []


def test_in_order_leaves_out_frames_that_go_back():
    assert in_order([Shown(0, 0.0), Shown(2, 0.08), Shown(1, 0.04), Shown(3, 0.12)]) == (
        [Shown(0, 0.0), Shown(2, 0.08), Shown(3, 0.12)],
        1,
    )


@pytest.mark.parametrize(
    ("made_s", "worse"),
    [
        ([1.0, 2.0, 3.0], []),
        ([1.009, 2.009, 3.009], []),
        ([1.0, 2.02, 3.0], ["sound is up to +20 ms beside its place"]),
        ([1.0, 3.0], ["1 of 3 chirps are missing (the first at 1.00 s)"]),
        ([1.0, 1.5, 2.0, 3.0], ["1 chirps are heard where there are none (the first at 1.50 s)"]),
    ],
)
def test_compare_chirps_finds_each_fault(made_s, worse):
    assert compare_chirps([0.0, 1.0, 2.0], made_s, 1.0, [1.0, 2.0, 3.0]).worse == worse
