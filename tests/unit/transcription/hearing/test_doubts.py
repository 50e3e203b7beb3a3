"""Of two transcripts the better one is chosen, whichever came first; what was hardly understood is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import WindowTranscript, Word
from podjobs.transcription.hearing.doubts import choose_transcript, describe_doubtful, goes_in_circles
from support.utterances import utter

NOTHING = WindowTranscript(())


def said(log_probability=-0.2, ratio=1.0):
    return WindowTranscript((Word(" yes", 0, 1),), Confidence(0.0, log_probability, ratio))


@pytest.mark.parametrize(
    ("transcript", "circles"),
    [(NOTHING, False), (said(), False), (said(-3), False), (said(ratio=2.4), False), (said(ratio=2.5), True)],
)
def test_goes_in_circles_by_whispers_own_limit(transcript, circles):
    assert goes_in_circles(transcript) == circles


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        (NOTHING, said(-3), 1),
        (said(-3), NOTHING, 0),
        (said(-0.1, ratio=8), said(-1.5), 1),  # no circle, however unsure
        (said(-1.5), said(-0.1, ratio=8), 0),
        (said(-1.2), said(-0.5), 1),
        (said(-0.5), said(-1.2), 0),
    ],
)
def test_choose_transcript(first, second, chosen):
    assert choose_transcript(first, second) is (first, second)[chosen]


TRANSCRIPTS = st.one_of(st.just(NOTHING), st.builds(said, st.floats(-3, 0), st.floats(0.5, 9)))


@given(TRANSCRIPTS, TRANSCRIPTS)
def test_choose_transcript_nothing_and_circles_only_where_there_is_nothing_else(first, second):
    chosen = choose_transcript(first, second)
    assert bool(chosen.words) == bool(first.words or second.words)
    if chosen.words and goes_in_circles(chosen):
        assert all(not other.words or goes_in_circles(other) for other in (first, second))


def doubtful(*said):
    """(start, how many seconds, log probability), …"""
    return describe_doubtful(
        [utter("mots", start_s, length_s, average_log_probability=sure) for start_s, length_s, sure in said], -0.6
    )


@pytest.mark.parametrize(
    "said",
    [
        [],
        [(0, 60, -0.6)],
        [(0, 1.9, -3)],  # a short answer
        [(0, 1, -3), (16.1, 1, -3)],  # two of them, far apart
    ],
)
def test_describe_doubtful_what_was_understood_or_is_short_is_not_told(said):
    assert doubtful(*said) == ()


def test_describe_doubtful_each_passage_is_told_once():
    assert doubtful((10, 1, -0.7), (12, 5, -0.1), (20, 1.5, -2), (40, 3, -1)) == (
        "What is said from 10.0 s to 21.5 s was hardly understood: its captions are likely to be wrong.",
        "What is said from 40.0 s to 43.0 s was hardly understood: its captions are likely to be wrong.",
    )
