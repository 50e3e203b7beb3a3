"""Jobs as they come from Pod: each is made from a Celery message, by the door's own translation."""

from typing import Any

from adapter.door.celery_jobs import ENCODING_TASK, STUDIO_TASK, TRANSCRIPTION_TASK, read_job
from podjobs.contract.jobs import Job
from podjobs.contract.media_paths import MediaPaths
from support.celery_messages import celery_message

POD_ROOT = "/media"


def encoding_job(
    job_id: Any = "job-1", video_id: Any = 7, video_path: Any = "/media/videos/7.mp4", *, pod_root: str = POD_ROOT,
    **request: Any,
) -> Job:  # fmt: skip
    """The job of one `start_encoding_task`; `request` holds its other arguments, by Pod's names."""
    return read_job(encoding_message(job_id, video_id, video_path, **request), MediaPaths(pod_root))


def encoding_message(
    job_id: Any = "job-1", video_id: Any = 7, video_path: Any = "/media/videos/7.mp4", **request: Any
) -> bytes:
    """The message of one `start_encoding_task`; `request` holds its other arguments, by Pod's names."""
    return celery_message(ENCODING_TASK, [video_id, video_path], request, message_id=job_id, queue="encoding")


def transcription_job(
    job_id: Any = "job-1", video_id: Any = 7, mp3filepath: Any = "/media/videos/0007/audio_192k.mp3", lang: Any = "en",
    *, duration: Any = 10, pod_root: str = POD_ROOT,
) -> Job:  # fmt: skip
    """The job of one `start_transcripting_task`."""
    raw = transcription_message(job_id, video_id, mp3filepath, lang, duration=duration)
    return read_job(raw, MediaPaths(pod_root))


def transcription_message(
    job_id: Any = "job-1", video_id: Any = 7, mp3filepath: Any = "/media/videos/0007/audio_192k.mp3", lang: Any = "en",
    *, duration: Any = 10,
) -> bytes:  # fmt: skip
    """The message of one `start_transcripting_task`."""
    arguments = [video_id, mp3filepath, duration, lang]
    return celery_message(TRANSCRIPTION_TASK, arguments, message_id=job_id, queue="transcripting")


def studio_job(job_id: Any = "job-1", recording_id: Any = 8, *, pod_root: str = POD_ROOT, **request: Any) -> Job:
    """The job of one `start_studio_task`; `request` holds its other arguments, by Pod's names."""
    return read_job(studio_message(job_id, recording_id, pod_root=pod_root, **request), MediaPaths(pod_root))


def studio_message(
    job_id: Any = "job-1", recording_id: Any = 8, *, pod_root: str = POD_ROOT, **request: Any
) -> bytes:  # fmt: skip
    """The message of one `start_studio_task`: by default, of two sources; `request` holds its other arguments."""
    folder = f"{pod_root}/opencast-files/a1"
    types = {"presentation": "presentation/source", "presenter": "presenter/source"}
    videos = [{"type": type_, "src": f"{folder}/{name}.webm"} for name, type_ in types.items()]
    asked = {"video_output": f"{folder}/a1.mp4", "videos": videos, "subtime": "", "presenter": "mid"} | request
    return celery_message(STUDIO_TASK, [recording_id, *asked.values()], message_id=job_id, queue="encoding")
