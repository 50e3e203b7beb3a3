"""Utterances: the transcript of a window, divided and placed at the times where it was said. Pure."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import attrgetter

from podjobs.contract.confidence import SURE, Confidence
from podjobs.contract.ports.speech import WINDOW_S, WindowTranscript, Word
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.hearing.word_times import ENDS, settle_times
from podjobs.transcription.spans import TimeSpan

PAUSE_S = 1.0
"""A longer pause begins a new utterance."""
MIN_WORD_S = 0.001
"""The duration assumed for a word without one."""
VOICED_SHARE = 0.5
"""Of the time of an utterance; words reach into the pauses around them."""
MIN_PROBABILITY = 1e-6
"""Avoids the logarithm of 0."""


@dataclass(frozen=True)
class Utterance:
    """A sentence, or what is said between two pauses; it has at least one word."""

    words: tuple[Word, ...]
    confidence: Confidence = SURE
    voiced: bool = False
    """Whether the detector is sure that somebody speaks there."""

    @property
    def text(self) -> str:
        """All its words."""
        return text_of(self.words)

    @property
    def start_s(self) -> float:
        """When its first word begins."""
        return self.words[0].start_s


def text_of(words: Iterable[Word]) -> str:
    """The text of consecutive words."""
    return "".join(word.text for word in words).strip()


def place_utterances(window: Window, transcript: WindowTranscript) -> tuple[Utterance, ...]:
    """Divide the transcript of a window into utterances, at the times where they were said.

    Args:
        window: the spans it was packed from.
        transcript: words with their times in the window.

    Returns:
        Utterances, each with a confidence of its own: one hallucination may stand next to many true sentences.
        Punctuation without a word, which music may result in, is dropped.
    """
    placed = [_placed(word, window) for word in settle_times(transcript.words)]
    utterances = []
    begun = 0
    for index, (word, following) in enumerate(pairwise((*placed, None)), start=1):
        if word is not None and (following is None or _ends_utterance(word, following)):
            words = placed[begun:index]
            if any(character.isalnum() for word in words for character in word.text):
                utterances.append(Utterance(tuple(words), _confidence_in(words, transcript)))
            begun = index
    return tuple(utterances)


def mark_voiced(utterance: Utterance, voice: Sequence[TimeSpan]) -> Utterance:
    """Mark an utterance as voiced if the detector is sure of its time.

    Args:
        utterance: as placed. The model's probability that there is no speech is that of a whole window, whatever else
            is in it; a voiced utterance loses it.
        voice: where the detector is sure, in order.
    """
    if share_within(utterance.words, voice) < VOICED_SHARE:
        return utterance
    return replace(utterance, voiced=True, confidence=replace(utterance.confidence, no_speech_probability=0.0))


def share_within(words: Iterable[Word], spans: Sequence[TimeSpan]) -> float:
    """The share of the words' time that lies within spans.

    Args:
        words: at least one.
        spans: in order; they do not touch.
    """
    total_s = within_s = 0.0
    for word in words:
        time = TimeSpan(word.start_s, max(word.end_s, word.start_s + MIN_WORD_S))
        total_s += time.length_s
        place = max(bisect_left(spans, time.start_s, key=attrgetter("start_s")) - 1, 0)
        while place < len(spans) and spans[place].start_s < time.end_s:
            within_s += spans[place].overlap_s(time)
            place += 1
    return within_s / total_s


def merge_utterances(first: Iterable[Utterance], second: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """Put the utterances of two hearings into one order: that of the times of their words.

    Args:
        first: in any order.
        second: likewise.

    Returns:
        All words; each begins when the one before it has ended, or later. An utterance within which the other hearing
        found words is divided there.
    """
    said = [(word, utterance) for utterance in (*first, *second) for word in utterance.words]
    if not said:
        return ()
    said.sort(key=lambda item: item[0].start_s)
    latest_s = (*(word.start_s for word, _ in said[1:]), math.inf)
    ended = [
        (replace(word, end_s=min(word.end_s, end_s)), utterance)
        for (word, utterance), end_s in zip(said, latest_s, strict=True)
    ]
    merged = []
    for _, group in groupby(ended, key=lambda item: id(item[1])):
        words, utterances = zip(*group, strict=True)
        merged.append(replace(utterances[0], words=words))
    return tuple(merged)


def _ends_utterance(word: Word, following: Word) -> bool:
    pause_s = following.start_s - word.end_s
    if not following.text.startswith(" "):  # its other half: «l'» «homme»
        return pause_s > WINDOW_S
    return word.text.endswith(ENDS) or pause_s > PAUSE_S


def _placed(word: Word, window: Window) -> Word:
    span = window.locate(word.start_s, word.end_s)
    return replace(word, start_s=round(span.start_s, 3), end_s=round(span.end_s, 3))


def _confidence_in(words: Sequence[Word], transcript: WindowTranscript) -> Confidence:
    """That of the window, except for the log probability, which is that of the words."""
    logarithms = [math.log(max(word.probability, MIN_PROBABILITY)) for word in words]
    return replace(transcript.confidence, average_log_probability=sum(logarithms) / len(logarithms))
