"""What a caption on the screen is, and the rules it keeps. Pure."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

TOLERANCE_S = 0.001
"""WebVTT's times are milliseconds."""


class CueRules(BaseModel):
    """What people can read. The defaults are the usual ones of broadcasters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_lines: int = Field(default=2, ge=1)
    max_line_chars: int = Field(default=40, ge=10)
    """Columns: a Chinese, Japanese or Korean character counts for two, a combining accent for none."""
    min_s: float = Field(default=1.0, gt=0)
    """On screen."""
    max_s: float = Field(default=7.0, gt=0)
    """On screen."""
    max_chars_per_s: float = Field(default=20.0, gt=0)
    """Reading speed, spaces counted."""
    min_gap_s: float = Field(default=0.2, ge=0)
    """A shorter gap between two cues flickers and is closed."""
    long_pause_s: float = Field(default=1.5, gt=0)
    """A pause between two words from which a cue always ends."""
    max_lead_s: float = Field(default=0.5, ge=0)
    """How much a cue may come before its first word where there is not enough time to read it otherwise."""

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if not self.min_gap_s < self.min_s <= self.max_s - self.min_gap_s:
            raise ValueError("min_gap_s must be less than min_s, and min_s at most max_s - min_gap_s")
        return self

    def needed_s(self, chars: int) -> float:
        """How long a text must be on screen.

        Args:
            chars: columns of the text.
        """
        return min(max(self.min_s, chars / self.max_chars_per_s), self.max_s)


class Cue(BaseModel):
    """A caption: what is on the screen from one time to another."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    lines: tuple[str, ...]
    """Plain text, not escaped."""

    @property
    def chars(self) -> int:
        """Columns of its text; the end of a line is read like a space."""
        return columns(" ".join(self.lines))


def columns(text: str) -> int:
    """The width of a text in letters: wide characters are two, combining and invisible ones none."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


@cache
def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def find_faults(cues: Sequence[Cue], rules: CueRules) -> list[str]:
    """Say which rules cues break, as far as the speech leaves a choice.

    A cue that is too short or too fast is at fault only where silence follows that it could stay in.

    Args:
        cues: in order; their times in seconds.
        rules: to be kept.

    Returns:
        A sentence for each fault, with the number of the cue, from 1.
    """
    faults: list[str] = []
    for number, cue in enumerate(cues, start=1):
        following_s = cues[number].start_s if number < len(cues) else float("inf")
        found = _line_faults(cue, rules) + _time_faults(cue, following_s, rules)
        faults += [f"Cue {number} {fault}." for fault in found]
    for number, (before, after) in enumerate(pairwise(cues), start=2):
        gap_s = after.start_s - before.end_s
        if gap_s < -TOLERANCE_S / 2:
            faults.append(f"Cue {number} begins {-gap_s:.3f} s before the one before it ends.")
        elif TOLERANCE_S / 2 < gap_s < rules.min_gap_s - TOLERANCE_S:
            faults.append(f"Cue {number} comes after a gap of {gap_s:.3f} s, which flickers.")
    return faults


def _line_faults(cue: Cue, rules: CueRules) -> list[str]:
    faults = [
        f"has a line of {columns(line)} characters, more than {rules.max_line_chars}"
        for line in cue.lines
        if columns(line) > rules.max_line_chars
    ]
    if len(cue.lines) > rules.max_lines:
        faults.append(f"has {len(cue.lines)} lines, more than {rules.max_lines}")
    if not cue.lines or not all(line.strip() for line in cue.lines):
        faults.append("has an empty line or none")
    return faults


def _time_faults(cue: Cue, following_s: float, rules: CueRules) -> list[str]:
    duration_s = cue.end_s - cue.start_s
    if cue.start_s < 0 or duration_s <= 0:
        return [f"lasts from {cue.start_s:.3f} s to {cue.end_s:.3f} s"]
    if duration_s > rules.max_s + TOLERANCE_S:
        return [f"is on screen for {duration_s:.3f} s, more than {rules.max_s:g} s"]
    if following_s - cue.end_s < TOLERANCE_S or duration_s >= rules.needed_s(cue.chars) - TOLERANCE_S:
        return []
    if duration_s < rules.min_s - TOLERANCE_S:
        return [f"is on screen for {duration_s:.3f} s, less than {rules.min_s:g} s, although silence follows"]
    speed = cue.chars / duration_s
    return [f"asks for {speed:.1f} characters/s, more than {rules.max_chars_per_s:g}, although silence follows"]
