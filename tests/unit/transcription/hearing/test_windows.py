"""Passages hold speech and no pauses, and words find their way back."""

import pytest

from podjobs.contract.ports import Heard, HeardWord
from podjobs.transcription.hearing.vad import Stretch
from podjobs.transcription.hearing.windows import Passage, make_passages
from podjobs.transcription.transcribe import place_utterances, words_in


def spans(passages):
    return [[(stretch.start_s, stretch.end_s) for stretch in passage.stretches] for passage in passages]


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([], []),
        ([(0, 10), (20, 30)], [[(0, 10), (20, 30)]]),
        # 25 + 10 s are too much
        ([(0, 25), (30, 40)], [[(0, 25)], [(30, 40)]]),
        # full with three; the longest pause from 70 % on is after the second
        ([(0, 10), (10.5, 25.5), (30, 33), (33.5, 44)], [[(0, 10), (10.5, 25.5)], [(30, 33), (33.5, 44)]]),
        # the long pause comes too early: the passage would be nearly empty
        ([(0, 5), (50, 62), (62.5, 74), (74.5, 80)], [[(0, 5), (50, 62), (62.5, 74)], [(74.5, 80)]]),
    ],
)
def test_make_passages(stretches, expected):
    assert spans(make_passages([Stretch(*span) for span in stretches], longest_s=29)) == expected


def test_take_from_is_the_stretches_samples_and_nothing_else():
    sound = b"".join(number.to_bytes(2, "little") for number in range(16_000))
    taken = Passage((Stretch(0.0, 0.001), Stretch(0.5, 0.502))).take_from(sound)
    assert [int.from_bytes(taken[at : at + 2], "little") for at in range(0, len(taken), 2)] == [
        *range(16),
        *range(8000, 8032),
    ]


@pytest.mark.parametrize(
    ("word", "placed"),
    [
        ((0.0, 1.0), (10.0, 11.0)),
        ((4.0, 5.0), (14.0, 15.0)),
        ((5.0, 6.0), (20.0, 21.0)),
        ((4.5, 5.2), (14.5, 15.0)),  # its middle lies in the first stretch: it ends there
        ((4.9, 6.0), (20.0, 21.0)),  # in the second: it begins there
        ((9.5, 12.0), (24.5, 25.0)),  # beyond the end
    ],
)
def test_place_word_lies_in_one_stretch(word, placed):
    assert Passage((Stretch(10.0, 15.0), Stretch(20.0, 25.0))).place(*word) == pytest.approx(placed)


def heard(*words, **facts):
    return Heard(tuple(HeardWord(*word) for word in words), **facts)


def texts(segments):
    return [segment.text for segment in segments]


PASSAGE = Passage((Stretch(0.0, 30.0),))


def test_place_utterances_sentences_and_pauses_part_them():
    one = heard(
        (" Yes.", 0, 1, 0.9), (" No", 1.1, 2, 0.9), (" way", 2, 3, 0.9), (" then", 4.5, 5, 0.9), ("!", 5, 5.1, 0.9)
    )
    assert texts(place_utterances(PASSAGE, one)) == ["Yes.", "No way", "then!"]


def test_place_utterances_word_in_two_pieces_stays_together():
    one = heard((" 3.", 0, 1, 0.9), ("5", 1, 2, 0.9), (" metres", 2, 3, 0.9))
    assert texts(place_utterances(PASSAGE, one)) == ["3.5 metres"]


def test_place_utterances_have_each_their_own_confidence():
    one = heard((" Clear.", 0, 1, 1.0), (" Vague.", 1, 2, 0.1), no_speech_probability=0.3, compression_ratio=1.7)
    clear, vague = place_utterances(PASSAGE, one)
    assert clear.average_log_probability == 0
    assert vague.average_log_probability == pytest.approx(-2.303, abs=0.001)
    assert (vague.no_speech_probability, vague.compression_ratio) == (0.3, 1.7)


def test_place_utterances_nothing_heard_is_nothing():
    assert place_utterances(PASSAGE, heard()) == ()


def test_place_utterances_signs_alone_are_none():
    assert place_utterances(PASSAGE, heard((" .", 0, 1, 0.2), (" .", 1, 2, 0.2))) == ()


def test_words_in_holes_the_neighbours_are_not_heard_twice():
    words = ((" before", 0.8, 1.2, 0.9), (" in", 2, 2.4, 0.9), (" it", 2.4, 2.8, 0.9), (" after", 4.9, 5.3, 0.9))
    segments = place_utterances(PASSAGE, heard(*words))
    written = place_utterances(PASSAGE, heard(words[0], words[3]))
    assert texts(words_in([Stretch(1.5, 4.5)], segments, written)) == ["in it"]
    assert words_in([Stretch(7, 9)], segments, written) == ()


def test_words_in_holes_first_and_last_words_reach_beyond_speech():
    segments = place_utterances(PASSAGE, heard((" Good", 0.8, 1.2, 0.9), (" morning.", 1.2, 1.9, 0.9)))
    assert texts(words_in([Stretch(1.1, 1.8)], segments, ())) == ["Good morning."]
