"""The times of a window's words: none lasts longer than it can be said, and they are in the order of the text. Pure.

A model gives a time to each word that it wrote. If it wrote nothing for the rest of a passage, its last word is
stretched over what it did not hear, 17 s in one recording; the whole passage would then count as heard.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from podjobs.contract.ports.speech import Word

WORD_S = 0.8
"""No word is too short to last so long: «no» is drawled, and a little of the pause around a word belongs to it."""
SIGN_S = 0.08
"""What each letter may add: «anticonstitutionnellement» 2 s."""
DIGIT_S = 0.5
"""What each digit may add: 1984 is said in seven syllables."""
ENDS = (*".?!…", "。", "？", "！")  # noqa: RUF001 - signs of many writing systems


def longest_s(text: str) -> float:
    """How long a word may last."""
    digits = sum(sign.isdigit() for sign in text)
    letters = sum(sign.isalpha() for sign in text)
    return WORD_S + digits * DIGIT_S + letters * SIGN_S


def settle_times(words: Sequence[Word]) -> tuple[Word, ...]:
    """Shorten words that are too long, and put times into the order of the words.

    Args:
        words: in the order of the text, with the times that a model gave them.

    Returns:
        The same words; each begins when the one before it has ended, or later.
    """
    shortened = [
        _shortened(word, follows_end=index == 0 or words[index - 1].text.endswith(ENDS))
        for index, word in enumerate(words)
    ]
    if not shortened:
        return ()
    starts_s = list(accumulate((word.start_s for word in shortened), max))
    return tuple(
        replace(word, start_s=start_s, end_s=max(start_s, min(word.end_s, next_s)))
        for word, start_s, next_s in zip(shortened, starts_s, (*starts_s[1:], math.inf), strict=True)
    )


def _shortened(word: Word, *, follows_end: bool) -> Word:
    """A word that begins a sentence is stretched over what was not heard before it, all others over what follows."""
    most_s = longest_s(word.text)
    if word.end_s - word.start_s <= most_s:
        return word
    if follows_end and not word.text.endswith(ENDS):
        return replace(word, start_s=word.end_s - most_s)
    return replace(word, end_s=word.start_s + most_s)
