"""Puts the sources of a recording on one time line: both were recorded together, each by its own clock. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from podjobs.contract.media_paths import Key
from podjobs.media.facts import MediaFacts
from podjobs.studio.recipe import SourceName

SAME_CLOCK_S = 60.0
"""If two sources begin further apart than this, their clocks have nothing to do with one another: both begin together.
Browsers begin at 0; cameras may count from anywhere."""


@dataclass(frozen=True)
class Placed:
    """A source on the recording's time line."""

    key: Key
    """Of the file that is read."""
    facts: MediaFacts
    """Of that file, as measured."""
    zero_s: float
    """Where the recording begins, on that file's clock."""

    @property
    def end_s(self) -> float | None:
        """Where its picture and its sound have ended, on the recording's time line; None if unknown."""
        if self.facts.duration_s is None:
            return None
        return self.facts.start_s + self.facts.duration_s - self.zero_s

    def describe(self, uploaded: MediaFacts) -> str:
        """What it consists of, for people.

        Args:
            uploaded: the facts of the uploaded file, whose sound a copy holds in another codec.
        """
        video, audio = self.facts.video, uploaded.audio
        parts = [f"{self.facts.duration_s:.1f} s" if self.facts.duration_s is not None else "of unknown length"]
        if video is None:
            parts.append("no picture")
        else:
            rate = f", {video.frame_rate:.4g} frames per second on average" if video.frame_rate else ""
            parts.append(f"{video.codec} with {video.width_px} × {video.height_px} pixels{rate}")
        parts.append(
            "no sound"
            if audio is None
            else f"{audio.codec} with {audio.channels} channel{'' if audio.channels == 1 else 's'}"
        )
        return "; ".join(parts)


def place_sources(sources: Mapping[SourceName, tuple[float, Key, MediaFacts]]) -> dict[SourceName, Placed]:
    """Find where the recording begins on the clock of each source.

    Args:
        sources: by name: where the uploaded file begins on its own clock, then the file that is read, and its facts; a
            copy may have another clock.
    """
    begins_s = [start_s for start_s, _, _ in sources.values()]
    shared = max(begins_s) - min(begins_s) <= SAME_CLOCK_S
    placed: dict[SourceName, Placed] = {}
    for name, (start_s, key, facts) in sources.items():
        late_s = start_s - min(begins_s) if shared else 0.0
        placed[name] = Placed(key, facts, facts.start_s - late_s)
    return placed
