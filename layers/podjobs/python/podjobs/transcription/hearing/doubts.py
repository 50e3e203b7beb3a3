"""Doubts: which transcripts are made again, and which of two is the better one. Pure.

A batch is transcribed once, whatever comes out. Whisper's own remedy for a text that goes round in circles is to
transcribe it again at another temperature. (Its other reason, a text that it is not sure of, is none here: that takes
long and helps nothing, see docs/decisions/0010-faster-whisper-in-batches.md.)
"""

from podjobs.contract.confidence import WHISPER_LIMITS
from podjobs.contract.ports.speech import WindowTranscript


def goes_in_circles(transcript: WindowTranscript) -> bool:
    """Whether a text repeats itself so much that what was said beneath it may be lost: it is made again."""
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
