"""Cues: what is on screen from one time to another, made from words. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from pydantic import BaseModel, ConfigDict

from podjobs.contract.ports.speech import Word
from podjobs.transcription.captions.break_costs import SENTENCE
from podjobs.transcription.captions.line_breaking import LineBreaker
from podjobs.transcription.captions.rules import CueRules, columns
from podjobs.transcription.captions.text_units import TextUnit, make_text_units, text_of
from podjobs.transcription.captions.timing import order_times, time_cues
from podjobs.transcription.spans import TimeSpan


class Cue(BaseModel):
    """One caption."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    """Plain text, not escaped."""

    @property
    def chars(self) -> int:
        """Columns of its text; the end of a line is read like a space."""
        return columns(" ".join(self.lines))


def make_cues(words: Sequence[Word], language: str, rules: CueRules | None = None) -> tuple[Cue, ...]:
    """Make captions from words; no word is lost or duplicated.

    Args:
        words: of the whole recording, in order; those of its parts one after the other.
        language: ISO 639-1; without a vocabulary for it, lines break only at punctuation, numbers and pauses.
        rules: None: the defaults.
    """
    return make_cues_in_languages([(language, words)], rules)


def make_cues_in_languages(
    runs: Sequence[tuple[str, Sequence[Word]]], rules: CueRules | None = None
) -> tuple[Cue, ...]:
    """Make captions from words in several languages; none is lost or duplicated.

    Args:
        runs: words in order, those of a language in a row with its code; see `make_cues`.
        rules: None: the defaults.
    """
    rules = rules or CueRules()
    units = _make_units(runs, rules)
    broken = LineBreaker(units, rules).choose_cues()
    texts = [tuple(text_of(units[first:end]) for first, end in lines) for lines in broken]
    spoken = [TimeSpan(units[lines[0][0]].span.start_s, units[lines[-1][1] - 1].span.end_s) for lines in broken]
    spans = time_cues(spoken, [columns(" ".join(lines)) for lines in texts], rules)
    return tuple(
        Cue(start_s=span.start_s, end_s=span.end_s, lines=lines) for span, lines in zip(spans, texts, strict=True)
    )


def _make_units(runs: Sequence[tuple[str, Sequence[Word]]], rules: CueRules) -> list[TextUnit]:
    """The text units of all runs; where the language changes, a sentence begins."""
    words = [word for _, said in runs for word in said]
    times = iter(order_times(words))
    ordered = [
        (language, [replace(word, start_s=span.start_s, end_s=span.end_s) for word, span in zip(said, times)])  # noqa: B905 - the times of the other runs are left
        for language, said in _joined(runs)
    ]
    units: list[TextUnit] = []
    for language, said in ordered:
        made = make_text_units(said, language, rules)
        if units and made:
            made[0] = made[0]._replace(spaced=True, cost=SENTENCE)
        units += made
    return units


def _joined(runs: Sequence[tuple[str, Sequence[Word]]]) -> list[tuple[str, list[Word]]]:
    """The runs, those of one language in a row as one: a sentence may go on from part to part."""
    return [
        (language, [word for _, said in group for word in said])
        for language, group in groupby((run for run in runs if run[1]), key=lambda run: run[0])
    ]
