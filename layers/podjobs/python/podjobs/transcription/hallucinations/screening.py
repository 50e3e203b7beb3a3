"""Screens utterances for hallucinations: known ones, repetitions, text where nobody speaks. Pure.

If in doubt, text is kept: a wrong caption can be corrected, but nobody looks for a missing one. The job's log has a
sentence about everything that is dropped.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from podjobs.contract.ports.speech import Word
from podjobs.transcription.hallucinations.confidence import HallucinationLimits
from podjobs.transcription.hallucinations.job_log import describe_dropped
from podjobs.transcription.hallucinations.known import SOUNDS, is_known, normalize_text
from podjobs.transcription.hallucinations.repetitions import drop_repetitions
from podjobs.transcription.hallucinations.sound_tags import drop_sound_tags
from podjobs.transcription.hearing.utterances import Utterance, share_within, text_of
from podjobs.transcription.spans import TimeSpan

_CLAUSE_END = re.compile(r"[.!?…,;:。！？、]\W*$")  # noqa: RUF001 - signs of many writing systems


class Speech(NamedTuple):
    """Where somebody speaks: spans in order that do not touch."""

    near: list[TimeSpan]
    """With a margin that makes up for inexact word times."""
    far: list[TimeSpan]
    """With the margin beyond which nothing can be speech."""


def drop_hallucinations(
    utterances: Sequence[Utterance], speech: Sequence[TimeSpan], limits: HallucinationLimits | None = None
) -> tuple[tuple[Utterance, ...], tuple[str, ...]]:
    """Drop what nobody said.

    Args:
        utterances: in order; repetitions may span several of them.
        speech: where voice activity detection found speech, on the clock of the words.
        limits: None: the defaults.

    Returns:
        The utterances that still have words; and a sentence for the job's log about each thing dropped.
    """
    limits = limits or HallucinationLimits()
    heard = Speech(_widen(speech, limits.speech_margin_s), _widen(speech, limits.far_margin_s))
    log: list[str] = []
    kept: list[Utterance] = []
    for utterance in utterances:
        untagged = drop_sound_tags(utterance, limits, log)
        reason = _reason_to_drop(untagged, heard, limits) if untagged.words else None
        if reason:
            log.append(describe_dropped(untagged.words, reason))
        else:
            kept.append(_drop_clauses(untagged, heard, limits, log))
    left = tuple(utterance for utterance in drop_repetitions(kept, limits, log) if utterance.words)
    return left, tuple(sorted(log))


def _widen(speech: Sequence[TimeSpan], margin_s: float) -> list[TimeSpan]:
    """The spans with a margin, in order, joined where they touch."""
    widened: list[TimeSpan] = []
    for span in (span.widened(margin_s) for span in sorted(speech)):
        if widened and span.start_s <= widened[-1].end_s:
            widened[-1] = TimeSpan(widened[-1].start_s, max(widened[-1].end_s, span.end_s))
        else:
            widened.append(span)
    return widened


def _reason_to_drop(utterance: Utterance, speech: Speech, limits: HallucinationLimits) -> str | None:
    """Why a whole utterance is dropped, if it is."""
    confidence = utterance.confidence
    if share_within(utterance.words, speech.near) < limits.min_speech_share:
        return "nobody speaks there"
    if limits.heard_no_speech(confidence):
        return (
            f"the model heard no speech ({confidence.no_speech_probability:.2f}) "
            f"and was not sure of the text ({confidence.average_log_probability:.2f})"
        )
    if confidence.average_log_probability < limits.guessed_log_probability:
        return f"the model could only guess what was said ({confidence.average_log_probability:.2f})"
    if confidence.is_unsure(limits.unsure) and limits.is_impossibly_fast(utterance.words):
        return "nobody speaks that fast, and the model was not sure of it"
    return None


def _drop_clauses(utterance: Utterance, speech: Speech, limits: HallucinationLimits, log: list[str]) -> Utterance:
    """The utterance without the clauses that nobody said."""
    kept: list[Word] = []
    clauses = list(_clauses(utterance.words))
    unsure = utterance.confidence.is_unsure(limits.unsure)
    # The name of a sound next to other words was said, as in a list: «silence, bruit, parole».
    sounds_only = all(_normalized(words) in SOUNDS for words in clauses)
    for words in clauses:
        known = sounds_only or is_known(_normalized(words))
        if reason := _reason_to_drop_clause(words, speech, limits, known=known, unsure=unsure):
            log.append(describe_dropped(words, reason))
        else:
            kept += words
    return utterance if len(kept) == len(utterance.words) else replace(utterance, words=tuple(kept))


def _normalized(words: Sequence[Word]) -> str:
    return normalize_text(text_of(words))


def _reason_to_drop_clause(
    words: Sequence[Word], speech: Speech, limits: HallucinationLimits, *, known: bool, unsure: bool
) -> str | None:
    """Why a clause is dropped, if it is.

    Args:
        words: of the clause.
        speech: where somebody speaks.
        limits: beyond which text counts as hallucinated.
        known: whether the clause is a known hallucination.
        unsure: whether its utterance is unsure.
    """
    if not share_within(words, speech.far):
        return "nobody speaks anywhere near"
    if not known:
        return None
    if share_within(words, speech.near) < limits.min_speech_share:
        return "the model is known to hallucinate it, and nobody speaks there"
    if unsure or limits.is_improbable(sum(word.probability for word in words) / len(words)):
        return "the model is known to hallucinate it, and was not sure"
    return None


def _clauses(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words between punctuation marks, each clause with the marks after it."""
    clause: list[Word] = []
    for word in words:
        ended = bool(clause) and _CLAUSE_END.search(clause[-1].text) is not None
        letters = normalize_text(word.text)
        begins = bool(letters) and not letters.isdigit()  # «für funk, 2017» is whole; « !» goes with what it ends
        # «Amara.org» is whole; Chinese goes on without a space.
        if ended and begins and (word.text.startswith(" ") or not clause[-1].text.rstrip()[-1].isascii()):
            yield clause
            clause = []
        clause.append(word)
    if clause:
        yield clause
