"""The rules for captions, and how they measure the width of text. Pure."""

import unicodedata
from functools import cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

TOLERANCE_S = 0.001
"""WebVTT's times are milliseconds."""


class CueRules(BaseModel):
    """What people can read. The defaults are common among broadcasters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_lines: int = Field(default=2, ge=1)
    max_line_chars: int = Field(default=40, ge=10)
    """Columns: a Chinese, Japanese or Korean character counts as two, a combining accent as none."""
    max_cue_chars: int = Field(default=80, ge=10)
    """Columns of all its lines, each end of a line counted as one. Source: Pod's caption editor, which takes 80."""
    min_s: float = Field(default=1.0, gt=0)
    """On screen."""
    max_s: float = Field(default=7.0, gt=0)
    """On screen."""
    max_chars_per_s: float = Field(default=20.0, gt=0)
    """Reading speed, spaces included."""
    calm_chars_per_s: float = Field(default=15.0, gt=0)
    """Reading speed that viewers are left time for if silence follows: there is nothing else to read then."""
    min_gap_s: float = Field(default=0.2, ge=0)
    """A shorter gap between two cues flickers and is closed."""
    long_pause_s: float = Field(default=1.5, gt=0)
    """A pause of this length between two words always ends a cue."""
    max_lead_s: float = Field(default=0.5, ge=0)
    """How long before its first word a cue may appear if there is not enough time to read it otherwise."""

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if not self.min_gap_s < self.min_s <= self.max_s - self.min_gap_s:
            raise ValueError("min_gap_s must be less than min_s, and min_s at most max_s - min_gap_s")
        return self

    @property
    def line_chars(self) -> int:
        """Columns of a line: one never has more than its cue may have."""
        return min(self.max_line_chars, self.max_cue_chars)

    def needed_s(self, chars: int) -> float:
        """How long a text must stay on screen.

        Args:
            chars: columns of the text.
        """
        return min(max(self.min_s, chars / self.max_chars_per_s), self.max_s)

    def calm_s(self, chars: int) -> float:
        """How long a text should stay on screen if silence follows; at least as long as it must.

        Args:
            chars: columns of the text.
        """
        return max(self.needed_s(chars), min(chars / self.calm_chars_per_s, self.max_s))


def columns(text: str) -> int:
    """The width of a text in columns: wide characters take two, combining and invisible ones none."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


@cache
def _width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
