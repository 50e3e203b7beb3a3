"""Sound tags: names of sounds that a model writes between words, such as «[Music]» or «(applause)». Pure."""

import re
from dataclasses import replace

from podjobs.contract.ports.speech import Word
from podjobs.transcription.hallucinations.confidence import HallucinationLimits
from podjobs.transcription.hallucinations.job_log import describe_dropped
from podjobs.transcription.hallucinations.known import SOUNDS, normalize_text
from podjobs.transcription.hearing.utterances import Utterance

# «[Music]», «(applause)», «*rires*» if they name a sound; notes always.
_TAG = re.compile(r"\[([^\[\]]{1,60})\]|\(([^()]{1,60})\)|(?<![\w*])\*(?=\S)([^*]{1,60})(?<=\S)\*(?![\w*])|[♩♪♫♬🎵🎶]+")
_BEGUN = re.compile(r"\w\s*$")
"""The clause continues."""


def drop_sound_tags(utterance: Utterance, limits: HallucinationLimits, log: list[str]) -> Utterance:
    """Drop the names of sounds.

    Args:
        utterance: any. A sound that is named in round brackets within a sentence stays if it was clearly said.
        limits: beyond which text counts as unsure.
        log: a sentence about what was dropped is added.

    Returns:
        The utterance without them; it may have no words.
    """
    text = "".join(word.text for word in utterance.words)
    sure = utterance.voiced and not utterance.confidence.is_unsure(limits.unsure)
    spans = [found.span() for found in _TAG.finditer(text) if _names_sound(found, sure=sure)]
    if not spans:
        return utterance
    words: list[Word] = []
    start = 0
    for word in utterance.words:
        left = "".join(
            sign for place, sign in enumerate(word.text, start) if not any(first <= place < end for first, end in spans)
        )
        start += len(word.text)
        if left.strip():
            words.append(word if left == word.text else replace(word, text=left))
    named = " ".join(text[first:end].strip() for first, end in spans)
    log.append(describe_dropped([replace(utterance.words[0], text=named)], "it names a sound, nobody says it"))
    return replace(utterance, words=tuple(words))


def _names_sound(found: re.Match[str], *, sure: bool) -> bool:
    inside = next((group for group in found.groups() if group), None)
    if inside is None:
        return True
    words = [normalize_text(word) for word in inside.split()]
    if found[2] and _BEGUN.search(found.string, 0, found.start()):
        # Within a sentence: «le signal (bruit blanc)».
        return bool(words) and not sure and SOUNDS.issuperset(words)
    # «(soft music)», «(musique douce)», but not «(la musique baroque)».
    return bool(words) and bool(SOUNDS.intersection((words[0], words[-1])))
