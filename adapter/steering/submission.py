"""Requests that an administrator makes in Pod's place: messages as Pod writes them. Pure.

Source: docs/contract-pod.md, what Pod puts on Redis; Celery message protocol 2.
"""

import base64
import json
import posixpath
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.door.celery_jobs import ENCODING_TASK, STUDIO_TASK, TRANSCRIPTION_TASK
from adapter.door.celery_studio import RecordingRequest
from podjobs.contract.jobs import Position
from podjobs.contract.media_paths import MediaPaths


@dataclass(frozen=True, slots=True)
class Submission:
    """A message, and where it goes."""

    queue: str
    message: str
    job_id: str
    """The message's id, which becomes the job's."""


@dataclass(frozen=True, slots=True)
class Dressing:
    """What a video is dressed with, each by its key in the media root; None: without it."""

    watermark: str | None = None
    position: Position = "top_right"
    opacity: int = 100
    """Of the watermark, in percent."""
    opening: str | None = None
    """A video that is shown before this one."""
    ending: str | None = None
    """A video that is shown after this one."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to dress the video with."""
        return not (self.watermark or self.opening or self.ending)


def submit_encoding(
    video_id: int, path: str, cut: tuple[float, float] = (0, 0), dressing: Dressing = Dressing(), *, paths: MediaPaths
) -> Submission:
    """Request an encoding.

    Args:
        video_id: Pod's number of the video, which gets the result.
        path: key of the file in the media root.
        cut: start and end in seconds; 0, 0: all of it.
        dressing: of the video.
        paths: maps keys to paths as Pod sees them.
    """
    start, end = (int(value) if value == int(value) else value for value in cut)
    keywords = {
        "json_dressing": None if dressing.is_empty else _json_dressing(dressing, paths),
        "dressing_input": _dressing_input(dressing, paths),
    }
    return _write("encoding", ENCODING_TASK, [video_id, paths.pod_path(path), start, end], keywords)


def submit_studio(recording: RecordingRequest) -> Submission:
    """Request a studio recording to be composed."""
    return _write("encoding", STUDIO_TASK, recording.arguments, {})


def submit_transcription(video_id: int, path: str, language: str, *, paths: MediaPaths) -> Submission:
    """Request a transcription.

    Args:
        video_id: Pod's number of the video, which gets the captions.
        path: key of its sound in the media root.
        language: its code, or `auto`.
        paths: maps keys to paths as Pod sees them.
    """
    return _write("transcripting", TRANSCRIPTION_TASK, [video_id, paths.pod_path(path), 0, language], {})


def _json_dressing(dressing: Dressing, paths: MediaPaths) -> dict[str, Any]:
    """The fields of Pod's json_dressing that describe files."""
    fields: dict[str, Any] = {
        "watermark_path": paths.pod_path(dressing.watermark) if dressing.watermark else None,
        "position_orig": dressing.position,
        "opacity": dressing.opacity,
    }
    for name, key in (("opening_credits", dressing.opening), ("ending_credits", dressing.ending)):
        # Pod has the name of a video of its own there
        fields[name] = posixpath.basename(key) if key else None
        fields |= {f"{name}_video": key or "", f"{name}_video_duration": None, f"{name}_video_hasaudio": None}
    return fields


def _dressing_input(dressing: Dressing, paths: MediaPaths) -> str:
    """The same files as a part of a command line; empty if one has a name that cannot stand there."""
    files = [paths.pod_path(key) for key in (dressing.watermark, dressing.opening, dressing.ending) if key]
    if any('"' in path or "\n" in path for path in files):
        return ""
    return "".join(f' -i "{path}"' for path in files)


def _write(queue: str, task: str, arguments: Sequence[Any], keywords: dict[str, Any]) -> Submission:
    job_id = str(uuid.uuid4())
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([arguments, keywords, embedded]).encode()).decode()
    headers = {
        "lang": "py",
        "task": task,
        "id": job_id,
        "root_id": job_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
    }
    properties = {
        "correlation_id": job_id,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    message = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    return Submission(queue, json.dumps(message), job_id)
