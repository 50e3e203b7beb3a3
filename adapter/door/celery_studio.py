"""Reads a studio recording from Pod's task, and writes such a task's arguments. Pure.

Source: docs/contract-pod.md, studio.
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut, Layout
from podjobs.contract.media_paths import Key, MediaPaths, PodPath

RECORDING = "recording-"
"""How targets begin that are recordings: Pod counts them and its videos separately."""
MP4 = ".mp4"
TYPES = {"presentation": "presentation/source", "presenter": "presenter/source"}
"""Our names of the sources, and Pod's; whatever else Pod lists is not composed."""
LAYOUTS: tuple[Layout, ...] = ("mid", "pipb", "piph")
"""Of two sources. Any other word: `alone`."""
LAYOUT_HELP = "Side by side; the presenter in the corner, bottom (pipb) or top (piph); or one source alone."
"""For command lines."""
_TIME = re.compile(
    r"(?:(?:(?P<h>[0-9]{1,4}):)?(?P<m>[0-5]?[0-9]):(?=[0-5]?[0-9](?:\.|$)))?(?P<s>[0-9]{1,9}(?:\.[0-9]{1,9})?)"
)
"""Seconds, or [HH:]MM:SS, each with decimals. Source: ffmpeg-utils(1), time duration."""
_POD_PATH: TypeAdapter[str] = TypeAdapter(PodPath)
_SHOWN_CHARS = 200


def recording_target(recording_id: int) -> str:
    """What the job of a recording is about."""
    return f"{RECORDING}{recording_id}"


@dataclass(frozen=True)
class Sources:
    """The sources of a recording that Pod's task names."""

    presentation: Key | None
    presenter: Key | None


def read_sources(videos: Sequence[Any], paths: MediaPaths) -> Sources:
    """Choose the sources: of each type the last one, as Pod's own worker does.

    Args:
        videos: objects with `type` and `src`.
        paths: maps paths below Pod's media root.

    Raises:
        InvalidRequestError: there is none, or its path is not one below the media root.
    """
    found: dict[str, Any] = {}
    for video in videos:
        if isinstance(video, dict):
            found |= {name: video.get("src") for name, type_ in TYPES.items() if video.get("type") == type_}
    if not found:
        raise InvalidRequestError(
            f"videos names neither a {TYPES['presentation']} nor a {TYPES['presenter']}: there is nothing to compose. "
            "Look whether the recording's files are still in Pod's media root, and record it again if they are not.",
            kind=FailureKind.SOURCE_GONE,
        )
    return Sources(**{name: _key_of(name, found[name], paths) if name in found else None for name in TYPES})


def _key_of(name: str, src: Any, paths: MediaPaths) -> Key:
    try:
        return paths.key_of(_POD_PATH.validate_python(src))
    except ValidationError as error:
        shown = repr(src)[:_SHOWN_CHARS]
        raise InvalidRequestError(f"videos names a {name} whose src is no absolute path: {shown}.") from error


def read_output(video_output: str, sources: Container[Key | None], paths: MediaPaths) -> Key:
    """Read where the composed recording goes.

    Args:
        video_output: its path, as Pod sees it.
        sources: their keys.
        paths: maps paths below Pod's media root.

    Raises:
        InvalidRequestError: not below the media root, not to an MP4, or over one of the sources.
    """
    output = paths.key_of(video_output)
    if not output.endswith(MP4) or output.endswith(f"/{MP4}"):
        shown = repr(video_output)[:_SHOWN_CHARS]
        raise InvalidRequestError(f"video_output is {shown}, expected a path that ends with {MP4}.")
    if output in sources:
        raise InvalidRequestError(f"video_output {output!r} is one of the sources, which would be overwritten.")
    return output


def read_layout(presenter: Any, sources: Sources) -> Layout:
    """Read where the presenter is shown; a source without the other one is shown alone."""
    if sources.presentation is None or sources.presenter is None:
        return "alone"
    return next((layout for layout in LAYOUTS if layout == presenter), "alone")


def read_subtime(subtime: str) -> Cut | None:
    """Read which part of the recording is kept.

    Args:
        subtime: part of a command line, never run: nothing, or -ss and -to, each with a time on the result's time line.

    Raises:
        InvalidRequestError: it is anything else, or leaves nothing of the recording.
    """
    start: str | None = None
    end: str | None = None
    match subtime.split():
        case []:
            return None
        case ["-ss", first]:
            start = first
        case ["-to", last]:
            end = last
        case ["-ss", first, "-to", last]:
            start, end = first, last
        case _:
            raise _not_a_cut(subtime)
    start_s = 0.0 if start is None else _seconds(start, subtime)
    end_s = None if end is None else _seconds(end, subtime)
    if end_s is not None and end_s <= start_s:
        raise InvalidRequestError(
            f"The cut from {start_s:g} s to {end_s:g} s leaves nothing of the recording. Correct it.",
            kind=FailureKind.CUT,
        )
    return Cut(start_s=start_s, end_s=end_s) if start_s or end_s is not None else None


def _seconds(time: str, subtime: str) -> float:
    found = _TIME.fullmatch(time)
    if found is None:
        raise _not_a_cut(subtime)
    return int(found["h"] or 0) * 3600 + int(found["m"] or 0) * 60 + float(found["s"])


def _not_a_cut(subtime: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"subtime is {subtime[:_SHOWN_CHARS]!r}, expected nothing, or «-ss T», «-to T» or «-ss T -to T», where T is "
        "a number of seconds or [HH:]MM:SS. Cut the recording again.",
        kind=FailureKind.CUT,
    )


@dataclass(frozen=True)
class RecordingRequest:
    """A recording, as Pod would have it composed: all paths are absolute, as Pod sees them."""

    recording_id: int
    output: str
    presentation: str | None = None
    presenter: str | None = None
    layout: Layout = "alone"
    start_s: float = 0.0
    end_s: float | None = None
    """None: to the end."""

    @property
    def arguments(self) -> list[Any]:
        """The positional arguments of Pod's task."""
        given = {"presentation": self.presentation, "presenter": self.presenter}
        videos = [{"type": TYPES[name], "src": path} for name, path in given.items() if path is not None]
        subtime = f"-ss {round(self.start_s, 3)} " if self.start_s else ""
        subtime += f"-to {round(self.end_s, 3)} " if self.end_s is not None else ""
        return [self.recording_id, self.output, videos, subtime, self.layout]
