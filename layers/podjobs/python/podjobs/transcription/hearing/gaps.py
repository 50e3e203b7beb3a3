"""Gaps: speech for which there are no words, and the words found there at the second attempt. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from podjobs.contract.ports.speech import Word
from podjobs.transcription.hearing.utterances import Utterance
from podjobs.transcription.spans import TimeSpan

WORD_MARGIN_S = 0.3
"""How exact word times are: nothing is missing this close to a word."""
WITHIN_S = 15.0
"""Stretches without words are added up within this."""
SAME_WORD_S = 0.25
"""How much a word's time may differ if it is transcribed again."""


def find_gaps(speech: Sequence[TimeSpan], said: Iterable[TimeSpan], more_than_s: float) -> tuple[TimeSpan, ...]:
    """Find speech without words.

    Args:
        speech: in order.
        said: where there are words, in any order.
        more_than_s: stretches without words do not count if there is no more than this in any `WITHIN_S`. Short ones
            count together: what nobody wrote down of a conversation may consist of many short answers.

    Returns:
        Spans in order, each within speech.
    """
    holes = _find_holes(speech, sorted(said))
    counted = [False] * len(holes)
    for first, hole in enumerate(holes):
        total_s = 0.0
        for last in range(first, len(holes)):
            if last > first and holes[last].end_s - hole.start_s > WITHIN_S:
                break
            total_s += holes[last].length_s
            if total_s > more_than_s:
                counted[first : last + 1] = [True] * (last + 1 - first)
    return tuple(hole for hole, counts in zip(holes, counted, strict=True) if counts)


def _find_holes(speech: Iterable[TimeSpan], said: Sequence[TimeSpan]) -> list[TimeSpan]:
    """All speech without words, however short."""
    holes = []
    for span in speech:
        begin_s = span.start_s
        for start_s, end_s in said:
            if end_s <= begin_s or start_s >= span.end_s:
                continue
            if start_s > begin_s:
                holes.append(TimeSpan(begin_s, start_s))
            begin_s = max(begin_s, end_s)
        if span.end_s > begin_s:
            holes.append(TimeSpan(begin_s, span.end_s))
    return holes


def describe_gaps(gaps: Sequence[TimeSpan]) -> tuple[str, ...]:
    """Write a sentence for the job's log about each passage with gaps.

    Args:
        gaps: in order.
    """
    passages: list[list[TimeSpan]] = []
    for gap in gaps:
        if passages and gap.end_s - passages[-1][0].start_s <= WITHIN_S:
            passages[-1].append(gap)
        else:
            passages.append([gap])
    return tuple(
        f"{sum(gap.length_s for gap in passage):.1f} s of speech from {passage[0].start_s:.1f} s to "
        f"{passage[-1].end_s:.1f} s have no caption."
        for passage in passages
    )


def around_gaps(gaps: Sequence[TimeSpan], total_s: float, context_s: float) -> tuple[TimeSpan, ...]:
    """Widen gaps to what is heard again: with the sound around them, pauses included.

    Args:
        gaps: in order.
        total_s: length of the sound.
        context_s: heard with each gap, on both sides.

    Returns:
        Spans in order that do not touch.
    """
    passages: list[TimeSpan] = []
    for gap in gaps:
        wide = gap.widened(context_s)
        passage = TimeSpan(max(0.0, wide.start_s), min(total_s, wide.end_s))
        if passages and passage.start_s <= passages[-1].end_s:
            passages[-1] = TimeSpan(passages[-1].start_s, passage.end_s)
        else:
            passages.append(passage)
    return tuple(passages)


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
