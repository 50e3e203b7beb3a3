"""Gaps: speech for which there are no words, and the words found there at the second attempt. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from podjobs.contract.ports.speech import Word
from podjobs.transcription.hearing.utterances import Utterance
from podjobs.transcription.spans import TimeSpan

WORD_MARGIN_S = 0.5
"""How exact word times are: nothing is missing this close to a word."""
SAME_WORD_S = 0.25
"""How much a word's time may differ if it is transcribed again."""


def find_gaps(speech: Sequence[TimeSpan], said: Iterable[TimeSpan], longer_than_s: float) -> tuple[TimeSpan, ...]:
    """Find speech without words.

    Args:
        speech: in order.
        said: where there are words, in any order.
        longer_than_s: shorter gaps do not count.
    """
    covered = sorted(said)
    gaps = []
    for span in speech:
        begin_s = span.start_s
        for start_s, end_s in covered:
            if end_s <= begin_s or start_s >= span.end_s:
                continue
            if start_s - begin_s > longer_than_s:
                gaps.append(TimeSpan(begin_s, start_s))
            begin_s = max(begin_s, end_s)
        if span.end_s - begin_s > longer_than_s:
            gaps.append(TimeSpan(begin_s, span.end_s))
    return tuple(gaps)


def around_words(utterances: Iterable[Utterance], margin_s: float) -> Iterator[TimeSpan]:
    """The spans of all words, each with a margin on both sides."""
    for utterance in utterances:
        for word in utterance.words:
            yield TimeSpan(word.start_s, word.end_s).widened(margin_s)


def words_in_gaps(
    gaps: Sequence[TimeSpan], utterances: Iterable[Utterance], written: Iterable[Utterance]
) -> tuple[Utterance, ...]:
    """Keep the words in gaps, or at their edges if there are no words yet.

    The words around a gap are already known, and some of them are transcribed again. But if speech begins or ends with
    the gap, its first and last words reach beyond it.

    Args:
        gaps: speech without words.
        utterances: what the second attempt found there.
        written: what the first attempt found.
    """
    edges = [gap.widened(WORD_MARGIN_S) for gap in gaps]
    taken = list(around_words(written, SAME_WORD_S))
    found = []
    for utterance in utterances:
        words = tuple(word for word in utterance.words if _lies_in(word, edges) and not _lies_in(word, taken))
        if words:
            found.append(replace(utterance, words=words))
    return tuple(found)


def _lies_in(word: Word, spans: Sequence[TimeSpan]) -> bool:
    middle_s = (word.start_s + word.end_s) / 2
    return any(span.contains(middle_s) for span in spans)
