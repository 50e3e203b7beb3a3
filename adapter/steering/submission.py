"""Requests that an administrator makes in Pod's place: messages as Pod writes them. Pure.

Source: docs/contract-pod.md, what Pod puts on Redis; Celery message protocol 2.
"""

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.door.celery_jobs import ENCODING_TASK, STUDIO_TASK, TRANSCRIPTION_TASK
from adapter.door.celery_studio import RecordingRequest


@dataclass(frozen=True, slots=True)
class Submission:
    """A message, and where it goes."""

    queue: str
    message: str
    job_id: str
    """The message's id, which becomes the job's."""


def submit_encoding(video_id: int, path: str, cut: tuple[float, float] = (0, 0)) -> Submission:
    """Request an encoding.

    Args:
        video_id: Pod's number of the video, which gets the result.
        path: absolute path of the file as Pod sees it.
        cut: start and end in seconds; 0, 0: all of it.
    """
    start, end = (int(value) if value == int(value) else value for value in cut)
    keywords = {"json_dressing": None, "dressing_input": ""}
    return _write("encoding", ENCODING_TASK, [video_id, path, start, end], keywords)


def submit_studio(recording: RecordingRequest) -> Submission:
    """Request a studio recording to be composed."""
    return _write("encoding", STUDIO_TASK, recording.arguments, {})


def submit_transcription(video_id: int, path: str, language: str) -> Submission:
    """Request a transcription.

    Args:
        video_id: Pod's number of the video, which gets the captions.
        path: absolute path of its sound as Pod sees it.
        language: its code, or `auto`.
    """
    return _write("transcripting", TRANSCRIPTION_TASK, [video_id, path, 0, language], {})


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
