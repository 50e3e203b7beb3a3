"""What is encoded: every clip as it is, one of them cut, one of them dressed with others as its credits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.encoding_job import EncodingRun, local_settings
from benchmarks.fidelity.checks import Shown, joined, shown_of
from benchmarks.fidelity.clips import CLIPS, Clip, make_clip
from podjobs.contract.jobs import Cut, DressingRequest

WHOLE_S = 3600
"""A chunk's least length with which every clip is one chunk."""
CUT_S = (3.3, 17.06)
KEPT_OF = {"game.mp4": 2}


@dataclass(frozen=True)
class Case:
    """A job and what must come of it."""

    name: str
    clip: Clip
    request: dict[str, Any]
    credits: tuple[str, ...] = ()
    """Clips shown before and after."""
    reference: str | None = None
    """Filters that make of the source what a rendition shows, for VMAF; None where no filter can."""

    def encode(self, folder: Path, clips: Path, *, whole: bool = False) -> EncodingRun:
        """Encode in chunks, or in one piece."""
        media = folder / ("whole" if whole else "chunks")
        settings = local_settings(
            media, **({"podjobs_chunk_min_s": WHOLE_S, "podjobs_chunk_max_s": WHOLE_S} if whole else {})
        )
        companions = tuple(make_clip(_clip(name), clips) for name in self.credits)
        run = EncodingRun(media, settings, settings.processors, request=self.request, companions=companions)
        run.encode(make_clip(self.clip, clips))
        return run

    def expect(self, clips: Path, run: EncodingRun) -> Shown:
        """What the sources say must be shown."""
        cut: Cut = self.request.get("cut", Cut())
        cut_s = (cut.start_s, cut.end_s or float("inf"))
        shown = shown_of(clips / self.clip.name, KEPT_OF.get(self.clip.name, 1), cut_s)
        if not self.credits:
            return shown
        opening, ending = (shown_of(clips / name, KEPT_OF.get(name, 1)) for name in self.credits)
        recipe = run.recipe
        lengths_s = (recipe.offset_s, recipe.duration_s or 0.0, 0.0)
        return joined(list(zip((opening, shown, ending), lengths_s, strict=True)))


def _clip(name: str) -> Clip:
    return next(clip for clip in CLIPS if clip.name == name)


def cases() -> list[Case]:
    """The clips as they are, then a cut and a dressing."""
    plain = [Case(clip.name, clip, {}, reference=clip.reference) for clip in CLIPS]
    start_s, end_s = CUT_S
    cut = f"trim=start={start_s}:end={end_s}"
    camera = _clip("camera.mp4")
    dressing = DressingRequest(opening="files/screen.mkv", ending="files/browser.webm")
    return [
        *plain,
        Case("camera.mp4, cut", camera, {"cut": Cut(start_s=start_s, end_s=end_s)}, reference=cut),
        Case("camera.mp4, credits", camera, {"dressing": dressing}, credits=("screen.mkv", "browser.webm")),
    ]
