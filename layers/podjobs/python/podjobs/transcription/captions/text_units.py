"""Text units: the smallest texts between which a line may be broken. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, takewhile
from typing import NamedTuple

from podjobs.contract.ports.speech import Word
from podjobs.transcription.captions.break_costs import LEANING, NEVER, weigh_breaks
from podjobs.transcription.captions.rules import CueRules, columns
from podjobs.transcription.captions.timing import order_times
from podjobs.transcription.captions.typography import NO_BREAK, THIN_NO_BREAK, typeset_words
from podjobs.transcription.captions.vocabulary import SPACELESS
from podjobs.transcription.spans import TimeSpan

CUT = LEANING
"""Cost of a break within a unit that is wider than a line, where there should be none."""
_GOOD_CUT = re.compile(r"[-/_.,?&=#+@]+(?=\w)")
"""In a long address or formula."""
_SPOKEN_PUNCTUATION = frozenset("%‰&@#*/")
"""Of what Unicode counts as punctuation; symbols such as + or € are all spoken."""


class TextUnit(NamedTuple):
    """Text that stays on one line."""

    text: str
    spaced: bool
    """Whether there is a space between it and the previous unit on the same line."""
    span: TimeSpan
    cost: float = 0.0
    """Of a break before it; see `break_costs`."""


def text_of(units: Sequence[TextUnit]) -> str:
    """The text of units on one line."""
    return units[0].text + "".join(" " * unit.spaced + unit.text for unit in units[1:])


def pause_between(before: TextUnit, after: TextUnit) -> float:
    """The silence between two units in seconds, to the millisecond."""
    return round(after.span.start_s - before.span.end_s, 3)


def make_text_units(words: Sequence[Word], language: str, rules: CueRules) -> list[TextUnit]:
    """Make units that fit on a line from words.

    A word wider than a line is cut at a punctuation mark if it has one, or else anywhere; nothing is added.

    Args:
        words: of the whole recording, in order.
        language: ISO 639-1.
        rules: for the width of a line and the pause that ends a cue.

    Returns:
        The units in order, each with the cost of a break before it. Text without anything visible is left out.
    """
    texts = typeset_words([word.text for word in words], language)
    atoms = list(_atoms(zip(texts, order_times(words), strict=True), glue=language not in SPACELESS))
    pauses_s = [pause_between(before, after) for before, after in pairwise((*atoms[:1], *atoms))]
    costs = weigh_breaks([atom.text for atom in atoms], pauses_s, language)
    units: list[TextUnit] = []
    run: list[TextUnit] = []
    for atom, cost, pause_s in zip(atoms, costs, pauses_s, strict=True):
        # A long pause separates even what belongs together, but neither the parts of a word nor its punctuation.
        separated = pause_s >= rules.long_pause_s and atom.spaced and _is_spoken(atom.text)
        if run and (cost < NEVER or separated):
            units += _fit(run, rules.line_chars)
            run = []
        run.append(atom._replace(cost=min(cost, CUT)))
    if run:
        units += _fit(run, rules.line_chars)
    return units


def _atoms(timed: Iterable[tuple[str, TimeSpan]], *, glue: bool) -> Iterator[TextUnit]:
    """The texts between spaces; with `glue`, one without a space before it continues the previous one.

    Without `glue`, text that is not in the language's own script is still kept whole: «3.14», «Node.js».
    """
    last: TextUnit | None = None
    for text, span in timed:
        for part in _split(text, span):
            if last is not None and (part.spaced or not (glue or _are_ascii(last, part))):
                yield last
                last = None
            last = part if last is None else _join((last, part))
    if last is not None:
        yield last


def _are_ascii(before: TextUnit, after: TextUnit) -> bool:
    return before.text[-1:].isascii() and after.text[:1].isascii()


def _split(text: str, span: TimeSpan) -> Iterator[TextUnit]:
    """The parts of a word; most have one. Its time is divided by letters: the dash in « - Bonjour» gets none."""
    parts = [found for found in re.finditer(r"[^ ]+", text) if _is_visible(found[0])]
    lengths = [len(found[0]) * _is_spoken(found[0]) for found in parts]
    if not any(lengths):
        lengths = [1] * len(parts)
    ends = [0, *accumulate(lengths)]
    for found, (start, end) in zip(parts, pairwise(ends), strict=True):
        yield TextUnit(found[0], spaced=found.start() > 0, span=_share(span, start / ends[-1], end / ends[-1]))


def _share(span: TimeSpan, start: float, end: float) -> TimeSpan:
    """A part of a span, from one share of it to another."""
    from_s, to_s = span
    return TimeSpan(*(round(from_s + (to_s - from_s) * share, 3) for share in (start, end)))


def _is_visible(text: str) -> bool:
    return text.isalnum() or any(unicodedata.category(character) not in {"Zs", "Cc", "Cf"} for character in text)


def _slice(unit: TextUnit, start: int, end: int) -> TextUnit:
    """A part of a unit; its time is divided by letters."""
    length = len(unit.text)
    return unit._replace(text=unit.text[start:end], span=_share(unit.span, start / length, end / length))


def _join(units: Sequence[TextUnit]) -> TextUnit:
    """Join units into one, with the time of what is spoken: that of punctuation is often the pause around it."""
    spoken = [unit for unit in units if _is_spoken(unit.text)] or units
    return units[0]._replace(text=text_of(units), span=TimeSpan(spoken[0].span.start_s, spoken[-1].span.end_s))


def _is_spoken(text: str) -> bool:
    return any(character in _SPOKEN_PUNCTUATION or unicodedata.category(character)[0] in "LNMS" for character in text)


def _fit(run: Sequence[TextUnit], width: int) -> Iterator[TextUnit]:
    """Join units that belong together if they fit on a line; else keep them apart and cut those that are too wide."""
    joined = _join(run)
    for whole in [joined] if columns(joined.text) <= width else run:
        rest = whole
        while columns(rest.text) > width:
            place = _cut_place(rest.text, width)
            yield _trim(_slice(rest, 0, place))
            rest = _slice(rest, place, len(rest.text))._replace(spaced=False, cost=CUT)
        if _is_visible(rest.text):
            yield _trim(rest)


def _trim(unit: TextUnit) -> TextUnit:
    return unit._replace(text=unit.text.strip(NO_BREAK + THIN_NO_BREAK))


def _cut_place(text: str, width: int) -> int:
    """Where to cut a wide text, in characters: after punctuation in the second half of the line, or else at its end."""
    widths = accumulate(columns(character) for character in text)
    place = sum(1 for _ in takewhile(lambda total: total <= width, widths))
    good = [found.end() for found in _GOOD_CUT.finditer(text, 0, place + 1) if place / 2 < found.end() <= place]
    return good[-1] if good else place
