"""Spans of time. Pure."""

from typing import NamedTuple


class TimeSpan(NamedTuple):
    """From one time to another, in seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """From start to end."""
        return self.end_s - self.start_s

    def widened(self, margin_s: float) -> "TimeSpan":
        """The span with a margin on both sides."""
        return TimeSpan(self.start_s - margin_s, self.end_s + margin_s)

    def contains(self, time_s: float) -> bool:
        """Whether a time lies within the span, its ends included."""
        return self.start_s <= time_s <= self.end_s

    def overlap_s(self, other: "TimeSpan") -> float:
        """How long two spans overlap."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))
