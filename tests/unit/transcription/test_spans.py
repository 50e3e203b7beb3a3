"""Spans of time."""

import pytest

from podjobs.transcription.spans import TimeSpan


def test_widened_has_the_margin_on_both_sides():
    assert TimeSpan(2, 5).widened(0.5) == (1.5, 5.5)
    assert TimeSpan(2, 5).length_s == 3


@pytest.mark.parametrize(("time_s", "inside"), [(1.9, False), (2, True), (5, True), (5.1, False)])
def test_contains_its_ends_too(time_s, inside):
    assert TimeSpan(2, 5).contains(time_s) == inside


@pytest.mark.parametrize(
    ("other", "expected_s"), [((0, 1), 0), ((0, 2), 0), ((0, 3), 1), ((3, 4), 1), ((4, 9), 1), ((0, 9), 3)]
)
def test_overlap_is_what_two_spans_share(other, expected_s):
    assert TimeSpan(2, 5).overlap_s(TimeSpan(*other)) == expected_s
    assert TimeSpan(*other).overlap_s(TimeSpan(2, 5)) == expected_s
