"""Doubts: which transcripts are made again, and which of two is the better one. Pure.

A batch is transcribed once, whatever comes out. Whisper's own remedy for a text that it is not sure of, or that goes
round in circles, is to transcribe it again at another temperature.
"""

from podjobs.contract.confidence import WHISPER_LIMITS
from podjobs.contract.ports.speech import WindowTranscript


def is_doubtful(transcript: WindowTranscript) -> bool:
    """Whether a transcript is to be made again: the model was not sure of it, or it repeats itself."""
    return bool(transcript.words) and transcript.confidence.is_unsure()


def goes_in_circles(transcript: WindowTranscript) -> bool:
    """Whether a text repeats itself so much that what was said beneath it may be lost."""
    return transcript.confidence.compression_ratio > WHISPER_LIMITS.compression_ratio


def choose_transcript(first: WindowTranscript, second: WindowTranscript) -> WindowTranscript:
    """Choose the better transcript of a window: one with words, that does not go in circles, and that is surer.

    Args:
        first: it is kept if both are equally good.
        second: of the same window.
    """
    return max(first, second, key=_quality)


def _quality(transcript: WindowTranscript) -> tuple[bool, bool, float]:
    return (
        bool(transcript.words),
        not goes_in_circles(transcript),
        transcript.confidence.average_log_probability,
    )
