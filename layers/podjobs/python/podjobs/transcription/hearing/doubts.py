"""Doubts: which transcripts are made again, which of two is the better one, and what was hardly understood. Pure.

A batch is transcribed once, whatever comes out. Whisper's own remedy for a text that goes round in circles is to
transcribe it again at another temperature. (Its other reason, a text that it is not sure of, is none here: that takes
long and helps nothing, see docs/decisions/0010-faster-whisper-in-batches.md.)
"""

from collections.abc import Iterable

from podjobs.contract.confidence import WHISPER_LIMITS
from podjobs.contract.ports.speech import WindowTranscript
from podjobs.transcription.hearing.gaps import WITHIN_S
from podjobs.transcription.hearing.utterances import Utterance
from podjobs.transcription.spans import TimeSpan

DOUBTFUL_S = 2.0
"""Of speech: of less, nothing is told."""


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


def describe_doubtful(utterances: Iterable[Utterance], log_probability: float) -> tuple[str, ...]:
    """Write a sentence for the job's log about each passage that was hardly understood.

    Args:
        utterances: in order.
        log_probability: below it, an utterance is doubtful: of the words of such, in noise, half and more are wrong.
    """
    passages: list[list[TimeSpan]] = []
    for utterance in utterances:
        if utterance.confidence.average_log_probability >= log_probability:
            continue
        said = TimeSpan(utterance.start_s, utterance.words[-1].end_s)
        if passages and said.start_s - passages[-1][-1].end_s <= WITHIN_S:
            passages[-1].append(said)
        else:
            passages.append([said])
    return tuple(
        f"What is said from {passage[0].start_s:.1f} s to {passage[-1].end_s:.1f} s was hardly understood: its "
        "captions are likely to be wrong."
        for passage in passages
        if sum(said.length_s for said in passage) >= DOUBTFUL_S
    )
