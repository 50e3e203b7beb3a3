"""What `scripts/run --studio` requests: a recording of Pod's studio is composed, and then encoded, as Pod has it."""

import hashlib
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapter.door.celery_studio import RecordingRequest
from local.client import StandInControl, request_composition
from local.configuration import Configuration
from local.media import place_at
from podjobs.contract.jobs import Layout
from podjobs.contract.media_paths import Key, MediaPaths

RECORDING_ID = 1
UPLOADS = "opencast-files"
"""Pod's folder of what its studio has recorded, one for each recording. Source: docs/contract-pod.md, studio."""


@dataclass(frozen=True)
class Recorded:
    """What was recorded, and how it is to be composed."""

    presentation: Path
    """What was shown; without a presenter, whatever was recorded."""
    presenter: Path | None = None
    """Who spoke."""
    layout: Layout = "mid"
    start_s: float = 0.0
    end_s: float | None = None
    """None: to the end."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files."""
        return (self.presentation,) if self.presenter is None else (self.presentation, self.presenter)


@dataclass(frozen=True)
class Composed:
    """What Pod has made of it: a video, which it has requested to be encoded."""

    video_id: int
    encoding_job: str
    key: Key
    """The composed file, where Pod has moved it."""
    log: Key
    """How it was composed."""


class NotTakenError(Exception):
    """The stand-in for Pod has made no video of the recording; the message says why."""


def compose(
    recorded: Recorded,
    configuration: Configuration,
    media_root: Path,
    pod: StandInControl,
    follow: Callable[[str, str], None],
) -> Composed:
    """Place a recording where Pod keeps it, and have it composed.

    Args:
        recorded: the recording.
        configuration: of the stack, which runs.
        media_root: of the stand-in for Pod.
        pod: the stand-in for Pod.
        follow: waits until a job is done; takes its id and its name.

    Raises:
        NotTakenError: the stand-in has made no video of it.
        StepError: a source could not be uploaded.
    """
    name = hashlib.sha256(os.fsencode(recorded.presentation.resolve())).hexdigest()
    folder = posixpath.join(UPLOADS, name)
    paths = MediaPaths(str(media_root))
    placed: dict[str, str] = {}
    for role, source in (("presentation", recorded.presentation), ("presenter", recorded.presenter)):
        if source is not None:
            placed[role] = paths.pod_path(place_at(source, f"{folder}/{role}{source.suffix}", configuration))
    output = f"{folder}/{name}.mp4"
    asked = RecordingRequest(
        RECORDING_ID,
        paths.pod_path(output),
        **placed,
        layout=recorded.layout,
        start_s=recorded.start_s,
        end_s=recorded.end_s,
    )
    follow(request_composition(configuration.broker_url, asked), "composition")
    told = pod.recording(RECORDING_ID)
    if not told["video_id"]:
        raise NotTakenError("\n".join(["Pod has made no video of the recording.", *told["mails"], told["comment"]]))
    key = paths.key_of(told["video_path"])
    return Composed(told["video_id"], told["encoding_job"], key, f"{output.removesuffix('.mp4')}.log")
