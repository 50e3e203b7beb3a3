"""What was heard in a window comes apart into utterances."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import WindowTranscript, Word
from podjobs.transcription.hearing.utterances import Utterance, mark_voiced, merge_utterances, place_utterances
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


def test_place_utterances_last_word_does_not_stand_for_what_follows_it():
    """It would be placed by its middle, ten seconds late."""
    (utterance,) = place_utterances(WINDOW, heard((" and", 1, 1.3, 0.9), (" so", 1.3, 20, 0.9)))
    assert (utterance.words[1].start_s, utterance.words[1].end_s) == (1.3, pytest.approx(2.26))


def spoken(*words):
    return Utterance(tuple(Word(*word) for word in words))


def test_merge_utterances_what_is_heard_again_comes_at_its_time():
    first = spoken((" one", 0, 1), (" five", 9, 10.5))
    again = spoken((" two", 1, 2), (" three", 2, 3)), spoken((" four", 3, 4), (" six", 10, 11))
    merged = merge_utterances([first], again)
    assert texts(merged) == ["one", "two three", "four", "five", "six"]
    assert merged[3].words[0].end_s == 10


UTTERANCES = st.lists(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0, 5)), min_size=1, max_size=6).map(
        lambda words: spoken(*((f" {start_s}", start_s, start_s + length_s) for start_s, length_s in words))
    ),
    max_size=5,
)


@given(UTTERANCES, UTTERANCES)
def test_merge_utterances_order_of_words_is_order_of_times(first, second):
    merged = [word for utterance in merge_utterances(first, second) for word in utterance.words]
    assert sorted(word.text for word in merged) == sorted(
        word.text for utterance in (*first, *second) for word in utterance.words
    )
    for word, following in pairwise(merged):
        assert word.start_s <= word.end_s <= following.start_s


@given(
    st.lists(st.tuples(st.floats(0, 29), st.floats(0, 29)), max_size=10),
    st.lists(st.tuples(st.floats(0.1, 5), st.floats(0.1, 9)), min_size=1, max_size=6),
)
def test_place_utterances_order_of_words_is_order_of_times(words, spans):
    packed, at_s = [], 0.0
    for pause_s, length_s in spans:
        packed.append(TimeSpan(at_s + pause_s, at_s + pause_s + length_s))
        at_s = packed[-1].end_s
    transcript = heard(
        *((f" {number}", start_s, start_s + length_s, 0.9) for number, (start_s, length_s) in enumerate(words))
    )
    placed = [word for utterance in place_utterances(Window(tuple(packed)), transcript) for word in utterance.words]
    assert [word.text for word in placed] == [word.text for word in transcript.words]
    for word, following in pairwise(placed):
        assert word.start_s <= following.start_s


@pytest.mark.parametrize(
    ("voice", "voiced"),
    [([], False), ([(0.0, 3.0)], True), ([(0.0, 0.4), (1.0, 1.6)], True), ([(0.0, 1.5)], False), ([(3, 4)], False)],
)
def test_mark_voiced_half_of_its_time_is_enough(voice, voiced):
    heard = Utterance((Word(" yes", 0, 0.4), Word(" then", 1, 2.6)), Confidence(0.9, -0.2, 1.5))
    marked = mark_voiced(heard, [TimeSpan(*span) for span in voice])
    assert marked.voiced == voiced
    assert marked.confidence == Confidence(0.0 if voiced else 0.9, -0.2, 1.5)
