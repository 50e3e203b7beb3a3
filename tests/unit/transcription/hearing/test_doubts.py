"""Of two transcripts the better one is chosen, whichever came first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import WindowTranscript, Word
from podjobs.transcription.hearing.doubts import choose_transcript, goes_in_circles

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
