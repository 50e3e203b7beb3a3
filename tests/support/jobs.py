"""Jobs as they come from Pod: each is made of a Celery message, by the door's own translation."""

import base64
import json

from adapter.door.celery_jobs import ENCODING_TASK, TRANSCRIPTION_TASK, read_job
from podjobs.contract.media_paths import MediaPaths

POD_ROOT = "/media"


def celery_message(task, job_id, *args, **kwargs):
    """What Celery puts on a queue."""
    body = base64.b64encode(json.dumps([args, kwargs, {}]).encode()).decode()
    headers = {"task": task, "id": job_id}
    return json.dumps({"body": body, "content-type": "application/json", "headers": headers}).encode()


def encoding_job(job_id="job-1", video_id=7, video_path="/media/videos/7.mp4", *, pod_root=POD_ROOT, **request):
    """The job of one `start_encoding_task`; `request` holds its other arguments, by Pod's names."""
    raw = celery_message(ENCODING_TASK, job_id, video_id, video_path, **request)
    return read_job(raw, MediaPaths(pod_root))


def transcription_job(
    job_id="job-1", video_id=7, mp3filepath="/media/videos/0007/audio_192k.mp3", lang="en", *, duration=10,
    pod_root=POD_ROOT,
):  # fmt: skip
    """The job of one `start_transcripting_task`."""
    raw = celery_message(TRANSCRIPTION_TASK, job_id, video_id, mp3filepath, duration, lang)
    return read_job(raw, MediaPaths(pod_root))
