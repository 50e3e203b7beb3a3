"""Cuts what was said into the pieces that lines are made of. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, takewhile
from typing import NamedTuple

from podjobs.transcription.captions.break_costs import LEANING, NEVER, weigh_breaks
from podjobs.transcription.captions.rules import CueRules, columns
from podjobs.transcription.captions.timing import Span, agree_times
from podjobs.transcription.captions.typography import NO_BREAK, THIN_NO_BREAK, typeset_words
from podjobs.transcription.captions.vocabulary import SPACELESS
from podjobs.transcription.hearing.utterances import Word

CUT = LEANING
"""Cost of a break where there should be none, in a piece that is wider than a line."""
_GOOD_CUT = re.compile(r"[-/_.,?&=#+@]+(?=\w)")
"""In a long address or formula."""
_SPOKEN_SIGNS = frozenset("%‰&@#*/")
"""Of those that Unicode counts as punctuation; symbols such as + or € are all spoken."""


class Piece(NamedTuple):
    """Text that stays on one line."""

    text: str
    spaced: bool
    """Whether a space parts it from the piece before it on the same line."""
    span: Span
    cost: float = 0.0
    """Of a break before it; see phrases."""


def pause_between(before: Piece, after: Piece) -> float:
    """Silence in seconds, to the millisecond."""
    return round(after.span.start_s - before.span.end_s, 3)


def cut_pieces(words: Sequence[Word], language: str, rules: CueRules) -> list[Piece]:
    """Cut what was said into pieces that fit on a line.

    A word wider than a line is cut at a sign if it has one, else anywhere; nothing is added.

    Args:
        words: of the whole recording, in order.
        language: ISO 639-1.
        rules: for the width of a line and the pause that ends a cue.

    Returns:
        The pieces in order, each with the cost of a break before it. Text without anything visible is left out.
    """
    texts = typeset_words([word.text for word in words], language)
    atoms = list(_atoms(zip(texts, agree_times(words), strict=True), glue=language not in SPACELESS))
    pauses_s = [pause_between(before, after) for before, after in pairwise((*atoms[:1], *atoms))]
    costs = weigh_breaks([atom.text for atom in atoms], pauses_s, language)
    pieces: list[Piece] = []
    run: list[Piece] = []
    for atom, cost, pause_s in zip(atoms, costs, pauses_s, strict=True):
        # A long pause parts even what belongs together, but not the parts of a word, nor a sign from it.
        parted = pause_s >= rules.long_pause_s and atom.spaced and _is_spoken(atom.text)
        if run and (cost < NEVER or parted):
            pieces += _fit(run, rules.max_line_chars)
            run = []
        run.append(atom._replace(cost=min(cost, CUT)))
    if run:
        pieces += _fit(run, rules.max_line_chars)
    return pieces


def _atoms(timed: Iterable[tuple[str, Span]], *, glue: bool) -> Iterator[Piece]:
    """Texts as far as spaces part them; with `glue`, one without a space before it continues the one before.

    Without, what is not of the language's own writing stays whole all the same: «3.14», «Node.js».
    """
    last: Piece | None = None
    for text, span in timed:
        for part in _split(text, span):
            if last is not None and (part.spaced or not (glue or _are_ascii(last, part))):
                yield last
                last = None
            last = part if last is None else _join((last, part))
    if last is not None:
        yield last


def _are_ascii(before: Piece, after: Piece) -> bool:
    return before.text[-1:].isascii() and after.text[:1].isascii()


def _split(text: str, span: Span) -> Iterator[Piece]:
    """The parts of a word; most have one. Its time is shared out by letters: a sign, as in « - Bonjour», has none."""
    parts = [found for found in re.finditer(r"[^ ]+", text) if _is_visible(found[0])]
    lengths = [len(found[0]) * _is_spoken(found[0]) for found in parts]
    if not any(lengths):
        lengths = [1] * len(parts)
    ends = [0, *accumulate(lengths)]
    for found, (start, end) in zip(parts, pairwise(ends), strict=True):
        yield Piece(found[0], spaced=found.start() > 0, span=_share(span, start / ends[-1], end / ends[-1]))


def _share(span: Span, start: float, end: float) -> Span:
    """A part of a stretch of time, from one share of it to another."""
    from_s, to_s = span
    return Span(*(round(from_s + (to_s - from_s) * share, 3) for share in (start, end)))


def _is_visible(text: str) -> bool:
    return text.isalnum() or any(unicodedata.category(character) not in {"Zs", "Cc", "Cf"} for character in text)


def _slice(piece: Piece, start: int, end: int) -> Piece:
    """A part of a piece; the time is shared out by letters."""
    length = len(piece.text)
    return piece._replace(text=piece.text[start:end], span=_share(piece.span, start / length, end / length))


def _join(pieces: Sequence[Piece]) -> Piece:
    """One piece of several, with the time of what is spoken: that of a sign is often the pause around it."""
    text = pieces[0].text + "".join(" " * piece.spaced + piece.text for piece in pieces[1:])
    spoken = [piece for piece in pieces if _is_spoken(piece.text)] or pieces
    return pieces[0]._replace(text=text, span=Span(spoken[0].span.start_s, spoken[-1].span.end_s))


def _is_spoken(text: str) -> bool:
    return any(character in _SPOKEN_SIGNS or unicodedata.category(character)[0] in "LNMS" for character in text)


def _fit(run: Sequence[Piece], width: int) -> Iterator[Piece]:
    """Join pieces that belong together if they fit on a line; else keep them apart and cut those that are too wide."""
    joined = _join(run)
    for whole in [joined] if columns(joined.text) <= width else run:
        rest = whole
        while columns(rest.text) > width:
            place = _cut_place(rest.text, width)
            yield _trim(_slice(rest, 0, place))
            rest = _slice(rest, place, len(rest.text))._replace(spaced=False, cost=CUT)
        if _is_visible(rest.text):
            yield _trim(rest)


def _trim(piece: Piece) -> Piece:
    return piece._replace(text=piece.text.strip(NO_BREAK + THIN_NO_BREAK))


def _cut_place(text: str, width: int) -> int:
    """Where a wide text is cut, in characters: behind a sign in the second half of the line, else as late as fits."""
    widths = accumulate(columns(character) for character in text)
    place = sum(1 for _ in takewhile(lambda total: total <= width, widths))
    good = [found.end() for found in _GOOD_CUT.finditer(text, 0, place + 1) if place / 2 < found.end() <= place]
    return good[-1] if good else place
