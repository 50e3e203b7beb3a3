"""What a model repeats is dropped, and what people repeat stays."""

from dataclasses import replace

import pytest

from podjobs.contract.confidence import Confidence
from podjobs.transcription.hallucinations.repetitions import Repetition, find_repetitions
from support.utterances import screened, texts, utter


@pytest.mark.parametrize(
    "text",
    [
        "oui, oui, oui",
        "non non non non non non non",
        "it is very very very good",
        "d'accord d'accord d'accord d'accord",
        "je veux, je veux, je veux dire",
        "1 2 3 4 5 6 7 8 9 10",
        "0 0 0 0 0 0 0 0 0 0 0 0 1",
        "zéro zéro zéro zéro zéro zéro zéro zéro zéro un",
        "la la la la la la la la la la la",
        "un, deux, trois, un, deux, trois, un, deux, trois, un, deux, trois, un, deux, trois, un, deux, trois",
        "priez pour nous priez pour nous priez pour nous priez pour nous priez pour nous priez pour nous",
        "Le chat dort. Le chat dort. Le chat dort. Le chat dort. Le chat dort.",
        "Vive le vent, vive le vent, vive le vent d'hiver. " * 3 + "Bravo !",
        "et le moteur fait brrrrrrrrrrrrr, puis 0xffffffffffff",
        "ha ha ha ha ha",
    ],
)
def test_drop_hallucinations_what_people_repeat_stays(text):
    assert screened([utter(text, average_log_probability=-0.2)]) == ([text], [])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("oui " * 30 + "voilà", "oui voilà"),
        ("et on va voir " * 12 + "la suite", "et on va voir la suite"),
        # What follows the last whole one may begin something new, if the utterance goes on.
        ("je crois que " * 10 + "je crois bien", "je crois que je crois bien"),
        # It breaks off with the utterance.
        ("je crois que " * 10 + "je", "je crois que"),
        ("Merci ! " * 13, "Merci !"),
        ("bon " + "ha" * 40 + " alors", "bon alors"),
        ("soit 0," + "3" * 150 + " donc", "soit donc"),
    ],
)
def test_drop_hallucinations_repetition_in_an_utterance_leaves_the_first(text, left):
    kept, log = screened([utter(text.strip(), average_log_probability=-0.2)])
    assert kept == [left]
    assert len(log) == 1


def test_drop_hallucinations_repetition_over_utterances_leaves_the_first_and_is_logged():
    again = [utter("Je vais vous montrer la suite.", start_s=5.0 * index) for index in range(1, 8)]
    kept, log = screened([utter("Bonjour."), *again, utter("Merci.", start_s=40)])
    assert kept == ["Bonjour.", "Je vais vous montrer la suite.", "Merci."]
    reason = "it repeats what comes before it, 6 times in a row"
    assert log == [f"At 00:00:10.000 «Je vais vous montrer la suite.» was left out: {reason}."]


def test_drop_hallucinations_unsure_repetition_goes_sooner():
    twice = [utter("je vais vous montrer la suite", start_s=5 * index) for index in range(3)]
    assert screened(twice)[0] == texts(twice)
    unsure = [replace(heard, confidence=Confidence(compression_ratio=5.0)) for heard in twice]
    assert screened(unsure)[0] == texts(twice[:1])


@pytest.mark.parametrize(
    ("measures", "stays"),
    [
        ({}, True),
        ({"probability": 0.4}, False),
        ({"compression_ratio": 3.0}, True),
        ({"compression_ratio": 5.0}, False),
        ({"word_s": 0.01}, False),
    ],
)
def test_drop_hallucinations_one_syllable_over_and_over_goes_only_if_unsure(measures, stays):
    heard = utter("ATATATATATATATATATATATAT", **{"word_s": 2, **measures})
    assert screened([heard])[0] == ([heard.text] if stays else [])


@pytest.mark.parametrize(("text", "times"), [("bravo", 4), ("un deux", 3), ("le chat dort ici", 2)])
def test_drop_hallucinations_unsure_repetition_goes_at_a_third(text, times):
    said = utter(" ".join([text] * times), compression_ratio=5.0)
    assert screened([said])[0] == [said.text]
    assert screened([utter(" ".join([text] * (times + 1)), compression_ratio=5.0)])[0] == [text]


def test_drop_hallucinations_a_drill_that_was_said_stays():
    # A small English model's own measures, of text that was spoken.
    said = "Please repeat after me, " + "the cat sat on the mat, " * 6 + "very good."
    heard = utter(said, average_log_probability=-0.09, compression_ratio=2.93)
    counted = utter("1, 2, 3, " * 9 + "this is a waltz.", average_log_probability=-0.19, compression_ratio=2.78)
    assert screened([heard])[0] == [heard.text]
    assert screened([counted])[0] == [counted.text]


@pytest.mark.parametrize(
    ("tokens", "period", "repetitions"),
    [
        ("abcabcabcd", 3, [Repetition(0, 3, 3, 0)]),
        ("xabcabcab", 3, [Repetition(1, 3, 2, 2)]),
        ("abab", 3, []),
        ("aabb", 1, [Repetition(0, 1, 2, 0), Repetition(2, 1, 2, 0)]),
        ("", 1, []),
    ],
)
def test_find_repetitions_finds_the_longest_run(tokens, period, repetitions):
    assert find_repetitions(list(tokens), period) == repetitions
