"""Tasks as clients of the runner API describe them, and the settings of a client."""

import json
from typing import Any

from adapter.door.runner.clients import API_TOKEN, BEARER, Caller, digest_of
from adapter.door.runner.requests import TaskRequest
from adapter.door.runner.translation import Translation
from adapter.runner_settings import RunnerClient
from podjobs.contract.jobs import Job

TOKEN = "a-token-of-the-tests-that-nobody-else-has"  # noqa: S105 - of no real client
SITE = "https://pod.example.org"
RENDITIONS = {
    "360": {"resolution": "640x360", "video_bitrate": "750k", "audio_bitrate": "96k", "encode_mp4": True},
    "720": {"resolution": "1280x720", "video_bitrate": "2000k", "audio_bitrate": "128k", "encode_mp4": True},
    "1080": {"resolution": "1920x1080", "video_bitrate": "3000k", "audio_bitrate": "192k", "encode_mp4": False},
}


def v4_task(**changes: Any) -> dict[str, Any]:
    """A task of Pod 4.2 to 4.4; `changes` replace fields, those of `parameters` are added to it."""
    task = {
        "etab_name": "University / Pod",
        "app_name": "Esup-Pod",
        "app_version": "4.2.0",
        "task_type": "encoding",
        "source_url": f"{SITE}/media/videos/0a1b/lecture.mp4",
        "notify_url": f"{SITE}/runner/notify_task_end/",
        "parameters": {"rendition": json.dumps(RENDITIONS), "video_id": 7, "video_title": "Lecture"},
    }
    parameters = task["parameters"] | changes.pop("parameters", {})
    return task | {"parameters": parameters} | changes


def v5_task(video_id: int = 7, **changes: Any) -> dict[str, Any]:
    """A task of Pod 5: its place to be called back contains a secret."""
    mp4 = {"360": True, "720": True, "1080": False}
    rendition = {h: {"resolution": RENDITIONS[h]["resolution"], "encode_mp4": made} for h, made in mp4.items()}
    task = {
        "etab_name": "University",
        "app_name": "Pod",
        "app_version": "5.0.0",
        "task_type": "encoding",
        "source_url": f"{SITE}/media/videos/lecture.mp4",
        "notify_url": f"{SITE}/api/runner/notify/?secret=very-secret-value&video_id={video_id}",
        "parameters": {"rendition": json.dumps(rendition)},
    }
    parameters = task["parameters"] | changes.pop("parameters", {})
    return task | {"parameters": parameters} | changes


def client_settings(**changes: Any) -> dict[str, Any]:
    """The settings of a client with TOKEN, which is called back at SITE."""
    return {"token_sha256": digest_of(TOKEN), "notify_hosts": ["pod.example.org"]} | changes


def caller(header: str = BEARER, **changes: Any) -> Caller:
    """Who makes a request."""
    return Caller("pod", RunnerClient.model_validate(client_settings(**changes)), TOKEN, header)


def job_of(task: dict[str, Any], job_id: str = "job-1", **client: Any) -> Job:
    """The job that a task becomes, by the door's own translation."""
    header = API_TOKEN if task["app_name"] == "Pod" else BEARER
    return Translation(TaskRequest.model_validate(task), caller(header, **client), job_id).to_job()
