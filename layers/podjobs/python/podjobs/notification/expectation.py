"""What Pod must show once it has imported a job's result: judged by what the job has published. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from podjobs.contract.ports.pod import VideoState
from podjobs.contract.steps import Step


@dataclass(frozen=True)
class Expectation:
    """The result of an encode, as far as Pod shows it."""

    is_failure: bool = False
    """The job failed: there is nothing to import."""
    duration_s: int | None = None
    """Whole seconds, as in info_video.json; None: unknown, since the job was published by an earlier version."""
    heights_px: tuple[int, ...] = ()
    """Of the renditions."""

    @classmethod
    def of(cls, step: Step) -> "Expectation":
        """Read it from the results that the notification step receives."""
        if step.failure:
            return cls(is_failure=True)
        published: Mapping[str, Any] = {}
        for values in step.results.values():
            published = {**published, **values}
        duration_s = published.get("duration_s")
        return cls(
            duration_s=None if duration_s is None else int(duration_s),
            heights_px=tuple(int(height_px) for height_px in published.get("heights_px", ())),
        )

    def has_duration_of(self, state: VideoState) -> bool:
        """Whether Pod states the duration that this job has published."""
        return self.duration_s is None or self.duration_s == state.duration_s

    def is_shown(self, state: VideoState) -> bool:
        """Whether what Pod shows is this job's result."""
        return self.is_failure or (state.encoded and self.has_duration_of(state))


def find_missing_renditions(heights_px: Iterable[int], resolutions: Iterable[str]) -> str:
    """Compare renditions with those of Pod, which looks for the one row whose resolution contains `x<height>`.

    Args:
        heights_px: nominal heights.
        resolutions: of Pod's rows.

    Returns:
        A sentence for the operator, with the remedy; empty: all are there.
    """
    rows = tuple(resolutions)
    found = {height_px: sum(f"x{height_px}" in row for row in rows) for height_px in sorted(heights_px)}
    missing = ", ".join(f"x{height_px}" for height_px, count in found.items() if not count)
    double = ", ".join(f"x{height_px}" for height_px, count in found.items() if count > 1)
    sentences = []
    if missing:
        sentences.append(
            f"Pod has no rendition {missing}, so it cannot import videos that have it. Add it in Pod's administration "
            "(video renditions), or remove it from VIDEO_RENDITIONS."
        )
    if double:
        sentences.append(
            f"Pod has more than one rendition {double}, so it cannot import videos that have it. Remove all but one in "
            "Pod's administration (video renditions)."
        )
    return " ".join(sentences)
