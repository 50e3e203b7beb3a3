"""What happens on Pod's side: a video is placed in the media root, its encoding is requested, its job is watched."""

import hashlib
import json
import os
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery

from adapter.door.celery_jobs import ENCODING_TASK, STUDIO_TASK, TRANSCRIPTION_TASK
from adapter.door.celery_studio import RecordingRequest
from adapter.inspection.job_record import JobRecord
from adapter.redis import keys
from local.ports import LISTENERS
from podjobs.contract.job_states import JobState
from podjobs.contract.media_paths import Key
from podjobs.redis_connections import open_redis_sync


@dataclass(frozen=True)
class Progress:
    """The progress of a job."""

    state: str
    stage: str
    done: float
    """Between 0 and 1."""
    error: str
    trouble: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in set(JobState) and JobState(self.state).is_final


NOT_TAKEN_YET = Progress("waiting", "", 0.0, "", "")


def place_video(source: Path, media_dir: Path) -> Path:
    """Put a video where Pod keeps uploads, under its own name; it is copied only where a hard link is impossible.

    Args:
        source: the video.
        media_dir: the media root.

    Returns:
        Its path in the media root.
    """
    target = upload_dir(source, media_dir) / source.resolve().name
    place_file(source, target)
    return target


def place_file(source: Path, target: Path) -> None:
    """Put a file somewhere; it is copied only where a hard link is impossible."""
    source = source.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def upload_dir(source: Path, media_dir: Path) -> Path:
    """Where `place_video` puts a video in a folder."""
    return media_dir / upload_folder(source)


def upload_folder(source: Path) -> Key:
    """The key of the folder in which a video is put: one of its own, as Pod has one for each user."""
    return f"videos/{hashlib.sha256(os.fsencode(source.resolve())).hexdigest()}"


def request_encoding(broker_url: str, video_id: int, video_path: str, cut: tuple[float, float] = (0, 0)) -> str:
    """Request an encoding as Pod does.

    Args:
        broker_url: the Celery broker.
        video_id: Pod's number of the video.
        video_path: its absolute path as Pod sees it.
        cut: start and end in seconds; 0, 0: all of it.

    Returns:
        The Celery id, which is the job's id.
    """
    start, end = (int(value) if value == int(value) else value for value in cut)
    with Celery("pod", broker=broker_url, backend=None) as app:
        result = app.send_task(
            ENCODING_TASK,
            args=[video_id, video_path, start, end],
            kwargs={"json_dressing": None, "dressing_input": ""},
            queue="encoding",
        )
        return str(result.id)


def request_transcription(broker_url: str, video_id: int, sound_path: str, duration_s: int, language: str) -> str:
    """Request a transcription as Pod does.

    Args:
        broker_url: the Celery broker.
        video_id: Pod's number of the video.
        sound_path: absolute path of its MP3 as Pod sees it.
        duration_s: whole seconds.
        language: its code, or `auto`.

    Returns:
        The Celery id, which is the job's id.
    """
    with Celery("pod", broker=broker_url, backend=None) as app:
        arguments = [video_id, sound_path, duration_s, language]
        return str(app.send_task(TRANSCRIPTION_TASK, args=arguments, queue="transcripting").id)


def request_composition(broker_url: str, recording: RecordingRequest) -> str:
    """Request a studio recording to be composed as Pod does.

    Args:
        broker_url: the Celery broker.
        recording: what is asked for.

    Returns:
        The Celery id, which is the job's id.
    """
    with Celery("pod", broker=broker_url, backend=None) as app:
        return str(app.send_task(STUDIO_TASK, args=recording.arguments, queue="encoding").id)


class StandInControl:
    """Controls the stand-in for Pod; see local/pod.py."""

    def __init__(self, port: int) -> None:
        """Store the address; nothing is connected yet.

        Args:
            port: where it listens on this machine.
        """
        self._url = f"http://127.0.0.1:{port}/control"

    def announce(self, video_id: int, language: str = "") -> None:
        """Announce that a video was sent to be encoded, and whether it is to be transcribed afterwards.

        Args:
            video_id: Pod's number of the video.
            language: empty: it is not to be transcribed.
        """
        self._call(f"videos/{video_id}", json.dumps({"transcribe": language}).encode())

    def transcription_of(self, video_id: int) -> str:
        """The id of the transcription that it has requested; empty until then."""
        return str(self._call(f"videos/{video_id}", None).get("transcription_job", ""))

    def recording(self, recording_id: int) -> dict[str, Any]:
        """What became of a recording: the fields of `Recording` in local/pod_recordings.py."""
        return self._call(f"recordings/{recording_id}", None)

    def _call(self, what: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/{what}", body, headers)  # noqa: S310 - our own http address
        with LISTENERS.open(request, timeout=5) as response:
            return dict(json.load(response))


class JobRecords:
    """Reads the adapter's records; writes nothing."""

    def __init__(self, jobs_url: str) -> None:
        """Connect.

        Args:
            jobs_url: the Redis database of the jobs.
        """
        self._redis = open_redis_sync(jobs_url, text=True)

    def progress(self, job_id: str) -> Progress:
        """Look up a job's progress. A message that was refused counts as a job that failed."""
        record = JobRecord(job_id, self._redis.hgetall(keys.job(job_id)))
        if not record.fields:
            refusal = self._refusal(job_id)
            return Progress(JobState.FAILED, "", 0.0, refusal, "") if refusal else NOT_TAKEN_YET
        return Progress(
            state=record.state,
            stage=record.fields.get("stage", ""),
            done=record.progress,
            error=describe_problem(record.fields.get("error", "")),
            trouble=describe_problem(record.fields.get("trouble", "")),
        )

    def log(self, job_id: str) -> list[str]:
        """The sentences of the job's log, oldest first."""
        return list(self._redis.lrange(keys.job_log(job_id), 0, -1))

    def close(self) -> None:
        """Disconnect."""
        self._redis.close()

    def _refusal(self, job_id: str) -> str:
        for _, entry in self._redis.xrevrange(keys.DEAD, count=100):
            if entry.get("kind") == "message" and job_id in entry.get("raw", ""):
                return describe_problem(entry.get("problem", "")) or "The message was refused."
        return ""


def describe_problem(problem: str) -> str:
    """The sentences of a problem, and the end of a failed command's stderr.

    Args:
        problem: JSON text of a Problem, plain text, or nothing.
    """
    try:
        facts = json.loads(problem)
        detail, stderr = str(facts["detail"]), str(facts.get("context", {}).get("stderr", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return problem
    return f"{detail}\n{stderr}".strip()
