"""WebVTT: the file that cues are published in. Pure."""

import html
from collections.abc import Iterable

import webvtt

from podjobs.media.timestamps import timestamp
from podjobs.transcription.captions.cues import Cue


def render_webvtt(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT; if there are none, a valid file without cues.

    Source: https://www.w3.org/TR/webvtt1/, 4.2.2: & and < are escaped in a cue's text; since > is escaped, too, no line
    of text can be mistaken for cue timings.
    """
    file = webvtt.WebVTT()
    for cue in cues:
        lines = [html.escape(line, quote=False) for line in cue.lines]
        file.captions.append(webvtt.Caption(timestamp(cue.start_s), timestamp(cue.end_s), lines))
    return str(file.content)
