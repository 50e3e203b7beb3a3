"""The comparison with plain ffmpeg finds what it is there for, and nothing else."""

import pytest

from support.corpus.expect import decimation_of, expected_of
from support.corpus.kit import Row
from support.corpus.places import Allowed, compare_chirps, compare_frames, in_order, shift_of_chirps, thin_out
from support.corpus.watch import Seen, Shown

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


def test_compare_frames_what_cannot_be_read_any_more_is_damaged():
    made = [*SOURCE[:4], Shown(None, 0.16), *SOURCE[5:]]
    assert compare_frames(SOURCE, made, SLACK_S).worse == ["1 frames are damaged (the first at 0.16 s)"]


@pytest.mark.parametrize(("value", "found"), [(112, False), (113, True)])
def test_compare_frames_finds_other_colours(value, found):
    """A mean difference of 12 of 255 is allowed."""
    source = [Shown(number, 0.04 * number, bytes([100] * 96)) for number in range(3)]
    made = [Shown(number, 0.04 * number, bytes([value] * 96)) for number in range(3)]
    assert bool(compare_frames(source, made, SLACK_S).worse) is found


@pytest.mark.parametrize(("odd", "faults"), [(0, 2), (1, 0)])
def test_compare_frames_so_many_as_are_odd_are_excused(odd, faults):
    made = [*SOURCE[:4], Shown(3, 0.16), *SOURCE[5:]]
    assert len(compare_frames(SOURCE, made, SLACK_S, odd).worse) == faults


def test_thin_out_any_frame_of_so_many_may_be_kept_but_none_may_be_missing_for_long():
    assert thin_out(SOURCE, SOURCE[1::2], 1) is SOURCE
    assert thin_out(SOURCE, SOURCE[1::2], 2) == SOURCE[1::2]
    # frames 2 … 7 were left out
    kept = thin_out(SOURCE, [SOURCE[1], SOURCE[8], SOURCE[9]], 2)
    assert compare_frames(kept, [SOURCE[1], SOURCE[8], SOURCE[9]], SLACK_S).worse == [
        "1 of 4 frames are missing (0.20 s)"
    ]


@pytest.mark.parametrize(("step_s", "decimation"), [(0.04, 1), (1 / 60, 1), (1 / 120, 2), (0.007, 4)])
def test_decimation_of_leaves_at_most_60_frames_a_second(step_s, decimation):
    assert decimation_of(shown(range(10), step_s=step_s)) == decimation


def test_expected_of_frames_are_thinned_no_more_than_is_justified():
    """Whatever the job says that it did."""
    row = Row("a", "b", "c", lambda _, target: target)
    assert expected_of(row, Seen(frames=SOURCE), 4).decimation == 1


def test_expected_of_a_cut_is_what_lies_within():
    row = Row("a", "b", "c", lambda _, target: target, request={"cut_start": 0.1, "cut_end": 0.3})
    expected = expected_of(row, Seen(frames=SOURCE, chirps_s=[0.0, 0.2], sound_s=0.4, level_db=-20.0), 1)
    assert [frame.number for frame in expected.seen.frames] == [3, 4, 5, 6, 7]
    assert (expected.seen.chirps_s, expected.other_chirps_s) == ([0.2], (0.0,))
    assert (expected.begin_s, expected.end_s) == (0.1, 0.3)


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


@pytest.mark.parametrize(
    ("made_s", "marks_s", "worse"),
    [
        ([1.0, 1.15, 2.0, 3.0], [1.0, 2.0, 3.0], ["1 chirps are heard twice (the first at 1.15 s)"]),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], []),  # of a frame that plain ffmpeg shows in silence
        ([1.0, 2.0, 3.0, 4.0], None, ["1 chirps are heard where there are none (the first at 4.00 s)"]),
    ],
)
def test_compare_chirps_others_belong_to_frames(made_s, marks_s, worse):
    assert compare_chirps([0.0, 1.0, 2.0], made_s, 1.0, marks_s).worse == worse


@pytest.mark.parametrize(("in_step", "worse"), [(True, []), (False, ["sound is up to -40 ms beside its place"])])
def test_compare_chirps_those_that_begin_with_their_frames_are_right(in_step, worse):
    """Plain ffmpeg puts them 40 ms too late."""
    found = compare_chirps([0.04, 1.04], [1.0, 2.0], 1.0, [1.0, 2.0], (), Allowed(in_step=in_step))
    assert found.worse == worse
    assert bool(found.better) is in_step


@pytest.mark.parametrize(("delay_s", "shift_s"), [(0.05, 0.05), (0.15, 0.0)])
def test_shift_of_chirps_is_at_most_the_delay_of_a_codec(delay_s, shift_s):
    assert shift_of_chirps([0.0, 1.0], [delay_s, 1.0 + delay_s], 0.0) == pytest.approx(shift_s)
