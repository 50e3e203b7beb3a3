"""Voice activity detection: where speech and pauses are, from a model's probabilities of speech. Pure.

There is one probability per `VAD_FRAME_S`; times are relative to the beginning of the sound that was analysed.
"""

from collections.abc import Sequence

from podjobs.contract.ports.speech import VAD_FRAME_S
from podjobs.transcription.spans import TimeSpan

HYSTERESIS = 0.15
"""Speech continues until the probability is this far below the threshold. Source: Silero VAD."""
MIN_PAUSE_S = 0.25
"""Shorter pauses are within words."""
MIN_SPEECH_S = 0.1
PERHAPS = 0.1
"""What touches speech, and is speech with this probability, is heard with it: by telephone the detector may be sure of
some words of each sentence only. Measured: docs/decisions/0074-what-was-not-understood-is-told.md."""
PADDING_S = 1.0
"""Around speech: quiet words are not detected as speech, and a model hears better what does not begin abruptly. Pauses
of up to twice as long are heard as they are. Measured: docs/decisions/0073-speech-is-heard-afresh.md."""
SMOOTHED_FRAMES = 3
"""Frames averaged: a single one may be an outlier."""


def find_speech(probabilities: Sequence[float], threshold: float) -> tuple[TimeSpan, ...]:
    """Find the spans of speech.

    Args:
        probabilities: of speech.
        threshold: from this probability on it is speech.
    """
    joined: list[TimeSpan] = []
    for span in _runs(probabilities, threshold, max(threshold - HYSTERESIS, 0.01)):
        if joined and span.start_s - joined[-1].end_s < MIN_PAUSE_S:
            joined[-1] = TimeSpan(joined[-1].start_s, span.end_s)
        else:
            joined.append(span)
    return tuple(span for span in joined if span.length_s >= MIN_SPEECH_S)


def widen_speech(speech: Sequence[TimeSpan], probabilities: Sequence[float]) -> tuple[TimeSpan, ...]:
    """Widen spans of speech over what touches them and is perhaps speech, too.

    Args:
        speech: in order.
        probabilities: of speech.

    Returns:
        Spans in order that do not touch; they contain all speech.
    """
    joined: list[TimeSpan] = []
    for span in sorted((*_runs(probabilities, PERHAPS, PERHAPS), *speech)):
        if joined and span.start_s <= joined[-1].end_s:
            joined[-1] = TimeSpan(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return tuple(span for span in joined if any(span.overlap_s(sure) > 0 for sure in speech))


def _runs(probabilities: Sequence[float], begin: float, go_on: float) -> list[TimeSpan]:
    """Where probabilities reach one limit, until they are below another one."""
    found: list[TimeSpan] = []
    begun: int | None = None
    for index, probability in enumerate((*probabilities, 0.0)):
        if begun is None and probability >= begin:
            begun = index
        elif begun is not None and probability < go_on:
            found.append(TimeSpan(begun * VAD_FRAME_S, index * VAD_FRAME_S))
            begun = None
    return found


def pad_speech(speech: Sequence[TimeSpan], total_s: float) -> tuple[TimeSpan, ...]:
    """Widen spans of speech on both sides; two that would meet share the pause between them.

    Args:
        speech: in order.
        total_s: length of the sound.
    """
    padded = []
    for index, span in enumerate(speech):
        earliest_s = (speech[index - 1].end_s + span.start_s) / 2 if index else 0.0
        latest_s = (span.end_s + speech[index + 1].start_s) / 2 if index + 1 < len(speech) else total_s
        padded.append(TimeSpan(max(earliest_s, span.start_s - PADDING_S), min(latest_s, span.end_s + PADDING_S)))
    return tuple(padded)


def divide_span(span: TimeSpan, probabilities: Sequence[float], max_s: float) -> tuple[TimeSpan, ...]:
    """Divide a span that is too long, each time where it is least like speech.

    Args:
        span: on the clock of the probabilities.
        probabilities: of speech.
        max_s: longest result; only the last one may be shorter than half of it.
    """
    divided = []
    while span.length_s > max_s:
        cut_s = least_speech_at(probabilities, span.start_s + max_s / 2, span.start_s + max_s)
        divided.append(TimeSpan(span.start_s, cut_s))
        span = TimeSpan(cut_s, span.end_s)
    return (*divided, span)


def least_speech_at(probabilities: Sequence[float], from_s: float, to_s: float) -> float:
    """The time between two others that is least like speech."""
    first = max(0, round(from_s / VAD_FRAME_S))
    last = max(first, min(len(probabilities), round(to_s / VAD_FRAME_S)) - SMOOTHED_FRAMES)
    best = min(range(first, last + 1), key=lambda index: sum(probabilities[index : index + SMOOTHED_FRAMES]))
    return min((best + SMOOTHED_FRAMES / 2) * VAD_FRAME_S, to_s)
