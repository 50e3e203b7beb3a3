"""Faults of cues are named."""

import pytest

from podjobs.transcription.captions.cues import Cue
from podjobs.transcription.captions.faults import find_faults
from podjobs.transcription.captions.rules import CueRules
from podjobs.transcription.captions.timing import time_cues
from podjobs.transcription.spans import TimeSpan


@pytest.mark.parametrize(
    ("cues", "faults"),
    [
        ([(0, 2, "fine"), (2, 4, "fine"), (4.2, 5.2, "fine")], []),
        ([(0, 2, "a"), (1.9, 3, "b")], ["Cue 2 begins 0.100 s before the previous one ends."]),
        ([(0, 2, "a"), (2.1, 4, "b")], ["Cue 2 comes after a gap of 0.100 s, which flickers."]),
        ([(0, 5, "x" * 41)], ["Cue 1 has a line of 41 characters, more than 40."]),
        ([(0, 6, "x" * 40, "y" * 40)], ["Cue 1 has 81 characters, more than 80."]),
        ([(0, 3, "a", "b", "c")], ["Cue 1 has 3 lines, more than 2."]),
        ([(0, 3, "a", " ")], ["Cue 1 has an empty line or no line at all."]),
        ([(0, 8, "a")], ["Cue 1 is on screen for 8.000 s, more than 7 s."]),
        ([(3, 3, "a")], ["Cue 1 lasts from 3.000 s to 3.000 s."]),
        ([(0, 0.5, "a"), (3, 4, "b")], ["Cue 1 is on screen for 0.500 s, less than 1 s, although silence follows."]),
        (
            [(0, 1, "x" * 30), (3, 4, "b")],
            ["Cue 1 asks for 30.0 characters/s, more than 20, although silence follows."],
        ),
        # The speech leaves no choice.
        ([(0, 0.5, "a"), (0.5, 1.5, "x" * 30), (1.5, 2.5, "b")], []),
    ],
)
def test_find_faults_names_what_could_be_better(cues, faults):
    assert (
        find_faults([Cue(start_s=start, end_s=end, lines=lines) for start, end, *lines in cues], CueRules()) == faults
    )


@pytest.mark.parametrize(("end_s", "faults"), [(6.9, 0), (7.0, 1), (6.5, 1)])
def test_find_faults_cue_that_would_flicker_if_it_stayed_is_none(end_s, faults):
    """It may not stay for 7.1 s until the next one appears, and 0.1 s before that one it would flicker."""
    rules = CueRules(max_chars_per_s=8)
    slow = Cue(start_s=0, end_s=end_s, lines=("x" * 40, "y" * 39))
    assert len(find_faults([slow, Cue(start_s=7.1, end_s=9, lines=("b",))], rules)) == faults


def test_time_cues_cue_that_would_flicker_disappears_a_gap_before_the_next_one():
    rules = CueRules(max_chars_per_s=8)
    spans = time_cues([TimeSpan(0.0, 3.0), TimeSpan(7.1, 9.0)], [81, 1], rules)
    assert [(span.start_s, span.end_s) for span in spans] == [(0.0, 6.9), (7.1, 9.0)]
