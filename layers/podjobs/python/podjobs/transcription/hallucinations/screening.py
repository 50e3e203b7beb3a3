"""Drops what the model invented: loops, phantom phrases, text where nobody speaks. Pure.

What stays in doubt stays: a caption that is wrong can be corrected, one that is missing is not looked for. Each thing
dropped is told in a sentence.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from podjobs.transcription.hallucinations.confidence import InventionLimits, is_doubtful, is_impossibly_fast, tell
from podjobs.transcription.hallucinations.known import CREDITS, PHRASES, SOUNDS, bare
from podjobs.transcription.hallucinations.repetitions import drop_loops
from podjobs.transcription.hearing.utterances import Segment, Word

Interval = tuple[float, float]


class Speech(NamedTuple):
    """Where somebody speaks, in order and apart."""

    near: list[Interval]
    """With the margin within which the times of words are exact."""
    far: list[Interval]
    """With the margin beyond which nothing can be speech."""


# «[Music]», «(applause)», «*rires*» if they name a sound; notes always.
_SOUND = re.compile(
    r"\[([^\[\]]{1,60})\]|\(([^()]{1,60})\)|(?<![\w*])\*(?=\S)([^*]{1,60})(?<=\S)\*(?![\w*])|[♩♪♫♬🎵🎶]+"
)
_BEGUN = re.compile(r"\w\s*$")
"""A clause goes on."""
_CLAUSE_END = re.compile(r"[.!?…,;:。！？、]\W*$")  # noqa: RUF001 - signs of many writings


def drop_invented(
    segments: Sequence[Segment], speech: Sequence[Interval], limits: InventionLimits | None = None
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """Leave out what nobody said.

    Args:
        segments: in order; loops are found across them.
        speech: where voice activity detection found speech: beginnings and ends in seconds, on the words' time line.
        limits: None: the defaults.

    Returns:
        What is left, segments without words left out; and for the job's log a sentence on each thing dropped.
    """
    limits = limits or InventionLimits()
    heard = Speech(_widen(speech, limits.speech_margin_s), _widen(speech, limits.far_margin_s))
    log: list[str] = []
    kept: list[Segment] = []
    for segment in segments:
        words_only = _drop_sounds(segment, log)
        reason = _doubt_segment(words_only, heard, limits) if words_only.words else None
        if reason:
            log.append(tell(words_only.words, reason))
        else:
            kept.append(_drop_clauses(words_only, heard, limits, log))
    # Each sentence begins with its time.
    return tuple(segment for segment in drop_loops(kept, limits, log) if segment.words), tuple(sorted(log))


def _widen(speech: Sequence[Interval], margin_s: float) -> list[Interval]:
    """Intervals with their margins, in order, joined where they touch."""
    widened: list[Interval] = []
    for start_s, end_s in sorted(speech):
        from_s, to_s = start_s - margin_s, end_s + margin_s
        if widened and from_s <= widened[-1][1]:
            widened[-1] = (widened[-1][0], max(widened[-1][1], to_s))
        else:
            widened.append((from_s, to_s))
    return widened


def _speech_share(words: Sequence[Word], speech: Sequence[Interval]) -> float:
    """The part of the words' time that is speech; a word without a length counts as a millisecond."""
    total_s = within_s = 0.0
    for word in words:
        end_s = max(word.end_s, word.start_s + 0.001)
        total_s += end_s - word.start_s
        place = max(bisect_right(speech, (word.start_s,)) - 1, 0)
        while place < len(speech) and speech[place][0] < end_s:
            within_s += max(0.0, min(speech[place][1], end_s) - max(speech[place][0], word.start_s))
            place += 1
    return within_s / total_s


def _doubt_segment(segment: Segment, speech: Speech, limits: InventionLimits) -> str | None:
    """Why a whole segment is not believed, if it is not."""
    if _speech_share(segment.words, speech.near) < limits.min_speech_share:
        return "nobody speaks there"
    silent = segment.no_speech_probability > limits.no_speech_probability
    if silent and segment.average_log_probability < limits.low_log_probability:
        return (
            f"the model heard no speech ({segment.no_speech_probability:.2f}) "
            f"and was not sure of the text ({segment.average_log_probability:.2f})"
        )
    if is_doubtful(segment, limits) and is_impossibly_fast(segment.words, limits):
        return "nobody speaks that fast, and the model was not sure of it"
    return None


def _drop_sounds(segment: Segment, log: list[str]) -> Segment:
    """Without the names of sounds."""
    text = "".join(word.text for word in segment.words)
    spans = [found.span() for found in _SOUND.finditer(text) if _names_sound(found)]
    if not spans:
        return segment
    words: list[Word] = []
    start = 0
    for word in segment.words:
        left = "".join(
            sign for place, sign in enumerate(word.text, start) if not any(first <= place < end for first, end in spans)
        )
        start += len(word.text)
        if left.strip():
            words.append(word if left == word.text else word.model_copy(update={"text": left}))
    named = " ".join(text[first:end].strip() for first, end in spans)
    log.append(tell([segment.words[0].model_copy(update={"text": named})], "it names a sound, nobody says it"))
    return segment.model_copy(update={"words": tuple(words)})


def _names_sound(found: re.Match[str]) -> bool:
    inside = next((group for group in found.groups() if group), None)
    if inside is None:
        return True
    words = [bare(word) for word in inside.split()]
    if found[2] and _BEGUN.search(found.string, 0, found.start()):
        # Within a sentence: «le signal (bruit blanc)».
        return bool(words) and SOUNDS.issuperset(words)
    # «(soft music)», «(musique douce)», but not «(la musique baroque)».
    return bool(words) and bool(SOUNDS.intersection((words[0], words[-1])))


def _drop_clauses(segment: Segment, speech: Speech, limits: InventionLimits, log: list[str]) -> Segment:
    """Without the clauses that are not believed."""
    kept: list[Word] = []
    clauses = list(_clauses(segment.words))
    doubtful = is_doubtful(segment, limits)
    # One beside others is said, in a list: «silence, bruit, parole».
    sounds_only = all(_bare(words) in SOUNDS for words in clauses)
    for words in clauses:
        phantom = sounds_only or _is_phantom(_bare(words))
        if reason := _doubt_clause(words, speech, limits, phantom=phantom, doubtful=doubtful):
            log.append(tell(words, reason))
        else:
            kept += words
    return segment if len(kept) == len(segment.words) else segment.model_copy(update={"words": tuple(kept)})


def _bare(words: Sequence[Word]) -> str:
    return bare("".join(word.text for word in words))


def _is_phantom(clause: str) -> bool:
    return clause in PHRASES or CREDITS.fullmatch(clause) is not None


def _doubt_clause(
    words: Sequence[Word], speech: Speech, limits: InventionLimits, *, phantom: bool, doubtful: bool
) -> str | None:
    """Why a clause that may be a phantom, of a segment that may be doubtful, is not believed, if it is not."""
    if not _speech_share(words, speech.far):
        return "nobody speaks anywhere near"
    if not phantom:
        return None
    if _speech_share(words, speech.near) < limits.min_speech_share:
        return "the model is known to invent it, and nobody speaks there"
    probability = sum(word.probability for word in words) / len(words)
    if doubtful or probability < limits.doubtful_word_probability:
        return "the model is known to invent it, and was not sure"
    return None


def _clauses(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words between signs, each with the signs behind it."""
    clause: list[Word] = []
    for word in words:
        ended = bool(clause) and _CLAUSE_END.search(clause[-1].text) is not None
        letters = bare(word.text)
        begins = bool(letters) and not letters.isdigit()  # «für funk, 2017» is whole, and « !» goes with what it ends
        # «Amara.org» is whole; Chinese goes on without a space.
        if ended and begins and (word.text.startswith(" ") or not clause[-1].text.rstrip()[-1].isascii()):
            yield clause
            clause = []
        clause.append(word)
    if clause:
        yield clause
