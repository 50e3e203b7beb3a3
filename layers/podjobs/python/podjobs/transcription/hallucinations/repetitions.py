"""Drops text that goes round in circles. Pure."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from podjobs.transcription.hallucinations.confidence import InventionLimits, is_impossibly_fast, may_loop, tell
from podjobs.transcription.hallucinations.known import bare
from podjobs.transcription.hearing.utterances import Segment, Word

LONGEST_PERIOD = 40
"""Words; what comes round after more is not found."""
IN_DOUBT = 3
"""So much sooner a loop is taken for one where the text is doubtful."""
SENTENCE_WORDS = 4
"""A phrase of so many is said again more rarely than a shorter one."""

_STAMMER = re.compile(r"([^\W\d_]{1,6}?)\1{9,}")
"""Said at times («brrrr», «ATATAT»): it goes in doubt only."""
_ENDLESS = re.compile(r"(\w{1,6}?)\1{29,}")
"""Said by nobody."""


class Token(NamedTuple):
    """A word as it is compared, with the signs behind it."""

    bare: str
    words: tuple[Word, ...]
    place: int
    """Of its segment."""


class Loop(NamedTuple):
    """A phrase that follows itself."""

    start: int
    """The first token of its first occurrence."""
    period: int
    """Tokens."""
    times: int
    """Whole occurrences, at least two."""
    rest: int
    """Tokens of a last one that is not whole."""

    @property
    def again(self) -> int:
        """The first token of its second occurrence."""
        return self.start + self.period

    @property
    def end(self) -> int:
        """Behind its last whole occurrence."""
        return self.start + self.period * self.times


def drop_loops(segments: Sequence[Segment], limits: InventionLimits, log: list[str]) -> list[Segment]:
    """Leave out what repeats itself more often than people do; its first occurrence stays.

    Args:
        segments: in order; loops go across them.
        limits: how often people repeat themselves.
        log: a sentence on each loop is added.

    Returns:
        As many segments; some may have no words.
    """
    tokens = [token for token in _tokens(segments) if not _is_stammer(token, segments[token.place], limits, log)]
    for period in range(1, LONGEST_PERIOD + 1):
        for loop in reversed(find_loops([token.bare for token in tokens], period)):
            if _is_invented(loop, tokens, segments, limits):
                end = _end_of_dropped(loop, tokens)
                phrase = [word for token in tokens[loop.again : loop.again + period] for word in token.words]
                log.append(tell(phrase, f"it repeats what comes before it, {loop.times - 1} times in a row"))
                del tokens[loop.again : end]
    left: list[list[Word]] = [[] for _ in segments]
    for token in tokens:
        left[token.place] += token.words
    return [
        segment if len(words) == len(segment.words) else segment.model_copy(update={"words": tuple(words)})
        for segment, words in zip(segments, left, strict=True)
    ]


def find_loops(tokens: Sequence[str], period: int) -> list[Loop]:
    """Find the phrases of a length that follow themselves at once.

    Args:
        tokens: words as they are compared.
        period: length of the phrase in words.

    Returns:
        The longest ones, in order; none overlaps another.
    """
    loops: list[Loop] = []
    start = 0
    while start + 2 * period <= len(tokens):
        end = start
        while end + period < len(tokens) and tokens[end] == tokens[end + period]:
            end += 1
        alike = end - start
        if alike >= period:
            loops.append(Loop(start, period, alike // period + 1, alike % period))
            start = end + period
        else:
            start = end + 1
    return loops


def _tokens(segments: Sequence[Segment]) -> Iterator[Token]:
    for place, segment in enumerate(segments):
        last: Token | None = None
        for word in segment.words:
            letters = bare(word.text)
            if last is not None and not letters:
                last = last._replace(words=(*last.words, word))
                continue
            if last is not None:
                yield last
            last = Token(letters, (word,), place)
        if last is not None:
            yield last


def _is_stammer(token: Token, segment: Segment, limits: InventionLimits, log: list[str]) -> bool:
    """Whether a word is one syllable over and over, and not believed."""
    unsure = min(word.probability for word in token.words) < limits.doubtful_word_probability
    doubtful = unsure or may_loop(segment, limits) or is_impossibly_fast(token.words, limits)
    found = bool(_ENDLESS.search(token.bare) or (doubtful and _STAMMER.search(token.bare)))
    if found:
        log.append(tell(token.words, "it is one syllable over and over"))
    return found


def _is_invented(loop: Loop, tokens: Sequence[Token], segments: Sequence[Segment], limits: InventionLimits) -> bool:
    again = tokens[loop.again : loop.end]
    doubtful = any(may_loop(segments[place], limits) for place in {token.place for token in again})
    doubtful = doubtful or is_impossibly_fast([word for token in again for word in token.words], limits)
    if not doubtful and all(token.bare.isdigit() for token in again):
        return False
    times = limits.max_phrase_times
    if loop.period == 1:
        times = limits.max_word_times
    elif loop.period >= SENTENCE_WORDS:
        times = limits.max_sentence_times
    return loop.times > (math.ceil(times / IN_DOUBT) if doubtful else times)


def _end_of_dropped(loop: Loop, tokens: Sequence[Token]) -> int:
    """A last occurrence that breaks off with its segment goes too; else it may begin what is said next."""
    end = loop.end + loop.rest
    broken_off = end == len(tokens) or tokens[end].place != tokens[end - 1].place
    return end if broken_off else loop.end
