"""What was heard in a window comes apart into utterances."""

import pytest

from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import WindowTranscript, Word
from podjobs.transcription.hearing.utterances import place_utterances
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.spans import TimeSpan
from support.utterances import texts

WINDOW = Window((TimeSpan(0.0, 30.0),))


def heard(*words, **measures):
    return WindowTranscript(tuple(Word(*word) for word in words), Confidence(**measures))


def test_place_utterances_sentences_and_pauses_separate_them():
    transcript = heard(
        (" Yes.", 0, 1, 0.9), (" No", 1.1, 2, 0.9), (" way", 2, 3, 0.9), (" then", 4.5, 5, 0.9), ("!", 5, 5.1, 0.9)
    )
    assert texts(place_utterances(WINDOW, transcript)) == ["Yes.", "No way", "then!"]


def test_place_utterances_word_in_two_parts_stays_together():
    transcript = heard((" 3.", 0, 1, 0.9), ("5", 1, 2, 0.9), (" metres", 2, 3, 0.9))
    assert texts(place_utterances(WINDOW, transcript)) == ["3.5 metres"]


def test_place_utterances_have_each_their_own_confidence():
    transcript = heard((" Clear.", 0, 1, 1.0), (" Vague.", 1, 2, 0.1), no_speech_probability=0.3, compression_ratio=1.7)
    clear, vague = (utterance.confidence for utterance in place_utterances(WINDOW, transcript))
    assert clear.average_log_probability == 0
    assert vague.average_log_probability == pytest.approx(-2.303, abs=0.001)
    assert (vague.no_speech_probability, vague.compression_ratio) == (0.3, 1.7)


def test_place_utterances_nothing_heard_is_nothing():
    assert place_utterances(WINDOW, heard()) == ()


def test_place_utterances_punctuation_alone_is_not_an_utterance():
    assert place_utterances(WINDOW, heard((" .", 0, 1, 0.2), (" .", 1, 2, 0.2))) == ()
