"""Repetitions: a model that goes round in circles writes the same text again and again. Pure."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from podjobs.contract.ports.speech import Word
from podjobs.transcription.hallucinations.confidence import HallucinationLimits
from podjobs.transcription.hallucinations.job_log import describe_dropped
from podjobs.transcription.hallucinations.known import normalize_text
from podjobs.transcription.hearing.utterances import Utterance

MAX_PERIOD = 40
"""Longest phrase, in words, whose repetition is found."""
UNSURE_FACTOR = 3
"""How much sooner text counts as repetitive if it is unsure."""
VOICED_FACTOR = 2
"""How much later if a voice is heard all the while, as in a dictation."""
SENTENCE_WORDS = 4
"""Phrases of at least this many words are repeated more rarely than shorter ones."""

_STAMMER = re.compile(r"([^\W\d_]{1,6}?)\1{9,}")
"""Sometimes really said («brrrr», «ATATAT»): dropped only if unsure."""
_ENDLESS = re.compile(r"(\w{1,6}?)\1{29,}")
"""Never said."""


class Token(NamedTuple):
    """A word in the form in which it is compared, with the punctuation after it."""

    normalized: str
    words: tuple[Word, ...]
    place: int
    """Of its utterance."""


class Repetition(NamedTuple):
    """A phrase that follows itself."""

    start: int
    """The first token of its first occurrence."""
    period: int
    """Tokens."""
    times: int
    """Whole occurrences, at least two."""
    rest: int
    """Tokens of an incomplete last one."""

    @property
    def again(self) -> int:
        """The first token of its second occurrence."""
        return self.start + self.period

    @property
    def end(self) -> int:
        """The token after its last whole occurrence."""
        return self.start + self.period * self.times


def drop_repetitions(utterances: Sequence[Utterance], limits: HallucinationLimits, log: list[str]) -> list[Utterance]:
    """Drop what is repeated more often than people do; the first occurrence is kept.

    Args:
        utterances: in order; repetitions may span several of them.
        limits: how often people repeat themselves.
        log: a sentence about each repetition is added.

    Returns:
        As many utterances; some may have no words.
    """
    tokens = [token for token in _tokens(utterances) if not _is_stammer(token, utterances[token.place], limits, log)]
    for period in range(1, MAX_PERIOD + 1):
        for repetition in reversed(find_repetitions([token.normalized for token in tokens], period)):
            if _is_hallucinated(repetition, tokens, utterances, limits):
                end = _end_of_dropped(repetition, tokens)
                second = tokens[repetition.again : repetition.again + period]
                reason = f"it repeats what comes before it, {repetition.times - 1} times in a row"
                log.append(describe_dropped([word for token in second for word in token.words], reason))
                del tokens[repetition.again : end]
    left: list[list[Word]] = [[] for _ in utterances]
    for token in tokens:
        left[token.place] += token.words
    return [
        utterance if len(words) == len(utterance.words) else replace(utterance, words=tuple(words))
        for utterance, words in zip(utterances, left, strict=True)
    ]


def find_repetitions(tokens: Sequence[str], period: int) -> list[Repetition]:
    """Find the phrases of one length that immediately follow themselves.

    Args:
        tokens: words as they are compared.
        period: length of the phrase in words.

    Returns:
        The longest repetitions, in order; they do not overlap.
    """
    found: list[Repetition] = []
    start = 0
    while start + 2 * period <= len(tokens):
        end = start
        while end + period < len(tokens) and tokens[end] == tokens[end + period]:
            end += 1
        alike = end - start
        if alike >= period:
            found.append(Repetition(start, period, alike // period + 1, alike % period))
            start = end + period
        else:
            start = end + 1
    return found


def _tokens(utterances: Sequence[Utterance]) -> Iterator[Token]:
    for place, utterance in enumerate(utterances):
        last: Token | None = None
        for word in utterance.words:
            letters = normalize_text(word.text)
            if last is not None and not letters:
                last = last._replace(words=(*last.words, word))
                continue
            if last is not None:
                yield last
            last = Token(letters, (word,), place)
        if last is not None:
            yield last


def _is_stammer(token: Token, utterance: Utterance, limits: HallucinationLimits, log: list[str]) -> bool:
    """Whether a word repeats one syllable over and over, and nobody said it."""
    endless = _ENDLESS.search(token.normalized) is not None
    if not endless and not (_STAMMER.search(token.normalized) and _is_unsure(token, utterance, limits)):
        return False
    log.append(describe_dropped(token.words, "it is one syllable over and over"))
    return True


def _is_unsure(token: Token, utterance: Utterance, limits: HallucinationLimits) -> bool:
    return (
        limits.is_improbable(min(word.probability for word in token.words))
        or utterance.confidence.is_unsure(limits.unsure_repetition)
        or limits.is_impossibly_fast(token.words)
    )


def _is_hallucinated(
    repetition: Repetition, tokens: Sequence[Token], utterances: Sequence[Utterance], limits: HallucinationLimits
) -> bool:
    again = tokens[repetition.again : repetition.end]
    places = {token.place for token in again}
    unsure = any(utterances[place].confidence.is_unsure(limits.unsure_repetition) for place in places)
    unsure = unsure or limits.is_impossibly_fast([word for token in again for word in token.words])
    if not unsure and all(token.normalized.isdigit() for token in again):
        return False
    times = limits.max_phrase_times
    if repetition.period == 1:
        times = limits.max_word_times
    elif repetition.period >= SENTENCE_WORDS:
        times = limits.max_sentence_times
    if unsure:
        times = math.ceil(times / UNSURE_FACTOR)
    elif all(utterances[place].voiced for place in places):
        times *= VOICED_FACTOR
    return repetition.times > times


def _end_of_dropped(repetition: Repetition, tokens: Sequence[Token]) -> int:
    """A last occurrence that breaks off with its utterance is dropped, too; otherwise it may begin something new."""
    end = repetition.end + repetition.rest
    broken_off = end == len(tokens) or tokens[end].place != tokens[end - 1].place
    return end if broken_off else repetition.end
