"""Times of words that follow one another, and times of cues."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.ports.speech import Word
from podjobs.transcription.captions.rules import CueRules
from podjobs.transcription.captions.timing import order_times, time_cues
from podjobs.transcription.spans import TimeSpan


def words(*times):
    return [Word(text=" a", start_s=start_s, end_s=end_s) for start_s, end_s in times]


@pytest.mark.parametrize(
    ("given_s", "expected_s"),
    [
        ([], []),
        ([(0, 1), (1, 2)], [(0, 1), (1, 2)]),
        ([(0, 1), (0.5, 2)], [(0, 0.5), (0.5, 2)]),  # overlapping
        ([(-1, -0.5), (0.5, 2)], [(0, 0), (0.5, 2)]),
        ([(3, 1)], [(3, 3)]),  # ends before it begins
        ([(1, 2), (90, 91), (3, 4)], [(1, 2), (2, 3), (3, 4)]),  # halfway between its neighbours
        ([(5, 6), (6, 7), (0, 1), (7, 8)], [(5, 6), (6, 6.5), (6.5, 6.5), (7, 8)]),
        ([(0, 1), (1, 1), (1, 1), (1, 2)], [(0, 1), (1, 1), (1, 1), (1, 2)]),  # equal ones may be true
    ],
)
def test_order_times_most_words_are_believed(given_s, expected_s):
    assert order_times(words(*given_s)) == expected_s


@given(times=st.lists(st.tuples(st.floats(-1e4, 1e6), st.floats(-1e4, 1e6)), max_size=40))
def test_order_times_any_times_follow_one_another(times):
    spans = order_times(words(*times))
    assert all(0 <= span.start_s <= span.end_s for span in spans)
    assert all(before.end_s <= after.start_s for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("spoken", "chars", "expected"),
    [
        ([(1, 3), (5, 8)], [10, 10], [(1, 3), (5, 8)]),
        ([(1, 1.2), (5, 8)], [10, 10], [(1, 2), (5, 8)]),  # a second at least
        ([(1, 2), (6, 8)], [60, 10], [(1, 5), (6, 8)]),  # 60 / 15 s
        ([(1, 2), (4.5, 8)], [60, 10], [(1, 4.5), (4.5, 8)]),  # until the next one appears
        ([(1, 2), (20, 21)], [200, 10], [(1, 8), (20, 21)]),  # not longer than 7 s
        ([(1, 2), (2.5, 5)], [60, 10], [(0.5, 2.5), (2.5, 5)]),  # half a second earlier, the most there is
        ([(0.25, 1), (1, 3)], [60, 10], [(0, 1), (1, 3)]),  # not before 0
        ([(0, 2), (2.25, 3), (3, 5)], [10, 60, 10], [(0, 2), (2, 3), (3, 5)]),  # nor before the end of the one before
        ([(0, 2), (2.1, 4)], [10, 10], [(0, 2.1), (2.1, 4)]),  # no flicker
        ([(0, 9), (9, 11)], [10, 10], [(0, 7), (9, 11)]),
        ([(0, 9), (7.1, 11)], [10, 10], [(0, 6.9), (7.1, 11)]),  # 7.1 s would be too long, a gap of 0.1 s too short
        ([(4, 4), (4, 4), (7, 9)], [10, 10, 10], [(4, 5), (5, 6), (7, 9)]),  # one after the other
        ([(4, 4), (4, 5), (5, 9)], [10, 10, 10], [(3.5, 4.5), (4.5, 5), (5, 9)]),  # as far as there is room
    ],
)
def test_time_cues_can_be_read_where_there_is_silence(spoken, chars, expected):
    spans = time_cues([TimeSpan(*span) for span in spoken], chars, CueRules())
    assert spans == [pytest.approx(span) for span in expected]
