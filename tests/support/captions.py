"""Captions as they are read: the cues and the words of a WebVTT."""

import webvtt

from podjobs.transcription.captions.cues import Cue


def cues_of(text: str) -> list[Cue]:
    """The cues of a WebVTT."""
    return [
        Cue(start_s=_seconds(caption.start), end_s=_seconds(caption.end), lines=tuple(caption.lines))
        for caption in webvtt.from_string(text).captions
    ]


def _seconds(time: str) -> float:
    hours, minutes, seconds = time.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def text_of(text: str) -> str:
    """All words of a WebVTT, in order."""
    return " ".join(line for cue in cues_of(text) for line in cue.lines)
