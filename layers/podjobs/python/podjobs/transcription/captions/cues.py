"""Cues: what is on screen from one time to another, made from words. Pure."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from podjobs.contract.ports.speech import Word
from podjobs.transcription.captions.line_breaking import LineBreaker
from podjobs.transcription.captions.rules import CueRules, columns
from podjobs.transcription.captions.text_units import make_text_units, text_of
from podjobs.transcription.captions.timing import time_cues
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
    rules = rules or CueRules()
    units = make_text_units(words, language, rules)
    broken = LineBreaker(units, rules).choose_cues()
    texts = [tuple(text_of(units[first:end]) for first, end in lines) for lines in broken]
    spoken = [TimeSpan(units[lines[0][0]].span.start_s, units[lines[-1][1] - 1].span.end_s) for lines in broken]
    spans = time_cues(spoken, [columns(" ".join(lines)) for lines in texts], rules)
    return tuple(
        Cue(start_s=span.start_s, end_s=span.end_s, lines=lines) for span, lines in zip(spans, texts, strict=True)
    )
