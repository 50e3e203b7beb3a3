"""A word lasts no longer than it can be said, and words are in the order of the text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.ports.speech import Word
from podjobs.transcription.hearing.word_times import longest_s, settle_times


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [(" a", 0.88), (" no,", 0.96), (" l'", 0.88), (" anticonstitutionnellement.", 2.8), (" 1984", 2.8), ("。", 0.8)],
)
def test_longest_s_grows_with_the_letters_and_digits(text, expected_s):
    assert longest_s(text) == pytest.approx(expected_s)


def times(*words):
    return [(word.start_s, pytest.approx(word.end_s)) for word in settle_times([Word(*word) for word in words])]


@pytest.mark.parametrize(
    ("words", "settled"),
    [
        ([], []),
        ([(" Good", 0.5, 1.0), (" morning.", 1.2, 1.9)], [(0.5, 1.0), (1.2, 1.9)]),
        # the passage went on after «maths»
        ([(" Hello", 0, 0.4), (" maths", 0.4, 17.4)], [(0, 0.4), (0.4, 1.6)]),
        ([(" Bye.", 3, 20)], [(3, 4.04)]),
        # what comes before «Then» was not heard
        ([(" Yes.", 0, 0.4), (" Then", 0.4, 9.0), (" we", 9, 9.2)], [(0, 0.4), (7.88, 9.0), (9, 9.2)]),
        ([(" Then", 0.0, 9.0), (" we", 9, 9.2)], [(7.88, 9.0), (9, 9.2)]),
        # out of order, or one in another
        ([(" one", 2, 2.5), (" two", 1, 1.5), (" three", 3, 3.5)], [(2, 2), (2, 2), (3, 3.5)]),
        ([(" one", 2, 3), (" two", 2.2, 2.5)], [(2, 2.2), (2.2, 2.5)]),
    ],
)
def test_settle_times(words, settled):
    assert times(*words) == settled


TIMES = st.floats(0, 30, allow_nan=False)
WORDS = st.lists(
    st.builds(
        lambda text, start_s, length_s: Word(text, start_s, start_s + length_s),
        st.sampled_from([" one", " two.", "three", " 1984", " quatre-vingts", " ?"]),
        TIMES,
        st.floats(0, 20),
    ),
    max_size=12,
)


@given(WORDS)
def test_settle_times_order_of_words_is_order_of_times(words):
    settled = settle_times(words)
    assert [word.text for word in settled] == [word.text for word in words]
    for word, following in pairwise(settled):
        assert word.start_s <= word.end_s <= following.start_s
    for word in settled:
        assert word.end_s - word.start_s <= longest_s(word.text) + 1e-9
