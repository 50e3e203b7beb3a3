"""Gaps are found, and what is heard in them is not doubled."""

import pytest

from podjobs.contract.ports.speech import WindowTranscript, Word
from podjobs.transcription.hearing.gaps import find_gaps, words_in_gaps
from podjobs.transcription.hearing.utterances import place_utterances
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.spans import TimeSpan
from support.utterances import texts


@pytest.mark.parametrize(
    ("speech", "said", "expected"),
    [
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10)], [], [(0, 10)]),
        ([(0, 3)], [], []),  # not longer than 3 s
        ([(0, 20)], [(0, 5), (9, 20)], [(5, 9)]),
        ([(0, 20)], [(9, 12), (0, 5)], [(5, 9), (12, 20)]),  # in any order
        ([(0, 10), (12, 20)], [(8, 13)], [(0, 8), (13, 20)]),
        ([(0, 10)], [(0, 9), (2, 4)], []),  # one word in another
    ],
)
def test_find_gaps(speech, said, expected):
    gaps = find_gaps([TimeSpan(*span) for span in speech], [TimeSpan(*span) for span in said], 3.0)
    assert list(gaps) == expected


def heard(*words):
    return place_utterances(Window((TimeSpan(0.0, 30.0),)), WindowTranscript(tuple(Word(*word) for word in words)))


def test_words_in_gaps_the_neighbours_are_not_taken_twice():
    words = ((" before", 0.8, 1.2, 0.9), (" in", 2, 2.4, 0.9), (" it", 2.4, 2.8, 0.9), (" after", 4.9, 5.3, 0.9))
    written = heard(words[0], words[3])
    assert texts(words_in_gaps([TimeSpan(1.5, 4.5)], heard(*words), written)) == ["in it"]
    assert words_in_gaps([TimeSpan(7, 9)], heard(*words), written) == ()


def test_words_in_gaps_first_and_last_words_reach_beyond_speech():
    again = heard((" Good", 0.8, 1.2, 0.9), (" morning.", 1.2, 1.9, 0.9))
    assert texts(words_in_gaps([TimeSpan(1.1, 1.8)], again, ())) == ["Good morning."]
