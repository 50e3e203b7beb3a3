"""Captions people can read: words → cues → WebVTT. Pure."""

import html
from collections.abc import Iterable, Sequence

import webvtt

from podjobs.media.timestamps import timestamp
from podjobs.transcription.captions.line_breaking import Layout
from podjobs.transcription.captions.rules import Cue, CueRules, columns
from podjobs.transcription.captions.text_units import Piece, cut_pieces
from podjobs.transcription.captions.timing import Span, time_cues
from podjobs.transcription.hearing.utterances import Word


def make_cues(words: Sequence[Word], language: str, rules: CueRules | None = None) -> tuple[Cue, ...]:
    """Lay out what was said as captions; no word is lost or doubled.

    Args:
        words: of the whole recording, in order; those of parts one after the other.
        language: ISO 639-1; one without a vocabulary is broken at signs, numbers and pauses only.
        rules: None: the defaults.
    """
    rules = rules or CueRules()
    pieces = cut_pieces(words, language, rules)
    cues = Layout(pieces, rules).choose_cues()
    texts = [tuple(_line(pieces[first:end]) for first, end in lines) for lines in cues]
    spoken = [Span(pieces[lines[0][0]].span.start_s, pieces[lines[-1][1] - 1].span.end_s) for lines in cues]
    spans = time_cues(spoken, [columns(" ".join(lines)) for lines in texts], rules)
    return tuple(
        Cue(start_s=span.start_s, end_s=span.end_s, lines=lines) for span, lines in zip(spans, texts, strict=True)
    )


def _line(pieces: Sequence[Piece]) -> str:
    return pieces[0].text + "".join(" " * piece.spaced + piece.text for piece in pieces[1:])


def render_webvtt(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT; without any, a valid file that holds none.

    Source: https://www.w3.org/TR/webvtt1/, 4.2.2: & and < are escaped in a cue's text, and as > is too, no line of it
    can be taken for times.
    """
    file = webvtt.WebVTT()
    for cue in cues:
        lines = [html.escape(line, quote=False) for line in cue.lines]
        file.captions.append(webvtt.Caption(timestamp(cue.start_s), timestamp(cue.end_s), lines))
    return str(file.content)
