"""Jobs that are watched while something goes wrong, and what must be true of them in the end."""

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from local.client import Progress, request_encoding, request_transcription
from support.media import count_frames
from support.misbehaving_pod import ENCODED, Call, MisbehavingPod
from support.processes import wait_for
from support.stack import RunningStack

VIDEO_S = 16
FRAMES = VIDEO_S * 25
LADDER = [
    {"resolution": "320x180", "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": True},
    {"resolution": "640x360", "maxrate": "2000k", "audio_bitrate": "96k", "encode_mp4": False},
]
SETTINGS = {
    "VIDEO_RENDITIONS": json.dumps(LADDER),
    "FFMPEG_PRESET": "medium",
    "PODJOBS_CHUNK_MIN_S": "4",
    "PODJOBS_RETRY_BASE_S": "1",
    "PODJOBS_RETRY_FACTOR": "1.2",
    "PODJOBS_BUSY_CAP_S": "2",
    "PODJOBS_POD_TIMEOUT_S": "3",
    "PODJOBS_CONCURRENCY_ENCODING": "2",
}
"""Chunks that take long enough to be killed in, and waits that tests can bear."""


_video_ids = itertools.count(101)
"""A second job for a video would supersede the first."""


class JobSender:
    """Puts jobs on a stack's queue, each with a video of its own."""

    def __init__(self, stack: RunningStack, pod: MisbehavingPod) -> None:
        self.stack = stack
        self.pod = pod

    def place(self, source: Path | bytes | None, name: str = "talk.mp4") -> tuple[int, str, Path]:
        """Put a video where Pod has its uploads.

        Args:
            source: a file that is linked, its content, or None for no file at all.
            name: of the upload.

        Returns:
            Video id, path as Pod sees it, folder of the result.
        """
        video_id = next(_video_ids)
        folder = f"videos/user{video_id}"
        pod_path = f"{self.stack.facts['media_root']}/{folder}/{name}"
        return video_id, pod_path, self._upload(source, folder, name) / f"{video_id:04d}"

    def _upload(self, source: Path | bytes | None, folder: str, name: str) -> Path:
        """Put a file into a folder of the media; returns where that is."""
        place = self.stack.media_dir / folder
        place.mkdir(parents=True)
        if isinstance(source, bytes):
            (place / name).write_bytes(source)
        elif source is not None:
            os.link(source, place / name)
        return place

    def submit(self, source: Path | bytes | None, name: str = "talk.mp4") -> "SentJob":
        """Ask for an encode."""
        video_id, pod_path, output = self.place(source, name)
        return self.job(request_encoding(self.stack.broker_url, video_id, pod_path), video_id, output)

    def transcribe(self, sound: Path | bytes, language: str = "en") -> "SentJob":
        """Ask for a transcription."""
        video_id, pod_path, output = self.place(sound, "audio_192k.mp3")
        job_id = request_transcription(self.stack.broker_url, video_id, pod_path, 30, language)
        return self.job(job_id, video_id, output)

    def job(self, job_id: str, video_id: int, output: Path) -> "SentJob":
        """A job that was asked for otherwise."""
        return SentJob(self.stack, self.pod, job_id, video_id, output)


@dataclass
class SentJob:
    """A job on its way."""

    stack: RunningStack
    pod: MisbehavingPod
    id: str
    video_id: int
    output: Path

    def progress(self) -> Progress | None:
        try:
            return self.stack.progress(self.id)
        except redis.RedisError:
            return None

    def wait_for(self, condition: Callable[[Progress], object], timeout_s: float = 120) -> Progress:
        """Wait until its progress is as wanted; redis-server may be away for a while."""
        found: list[Progress] = []

        def holds() -> bool:
            progress = self.progress()
            if progress is None or not condition(progress):
                return False
            found.append(progress)
            return True

        wait_for(holds, timeout_s, lambda: f"{self.progress()}\n{self.stack.log()}")
        return found[0]

    def wait_until(self, stage: str, done: float = 0.0) -> Progress:
        """Wait until the job is in a stage, and that far; or until it has ended."""
        return self.wait_for(lambda progress: progress.ended or (progress.stage == stage and progress.done >= done))

    def wait_end(self, timeout_s: float = 120) -> Progress:
        return self.wait_for(lambda progress: progress.ended, timeout_s)

    def calls(self, path: str = ENCODED) -> list[Call]:
        """The calls that notified Pod of it."""
        return self.pod.calls_about(self.video_id, path)

    def info(self) -> dict[str, Any]:
        """What was published: info_video.json."""
        return dict(json.loads((self.output / "info_video.json").read_text()))


def check_done(job: SentJob, frames: int = FRAMES) -> None:
    """The job ended well, in every respect, and Pod took it over once."""
    progress = job.wait_end()
    assert (progress.state, progress.error) == ("done", ""), job.stack.log()
    info = job.info()
    assert info["job_id"] == job.id
    assert list(info["list_hls_files"]) == ["180", "360"]
    for made in ("180p.mp4", "180p.ts", "360p.ts"):
        assert count_frames(job.output / made) == frames
    assert [path.name for path in job.output.iterdir() if path.name.startswith(".")] == []
    (imported,) = [call.imported for call in job.calls() if call.imported]
    assert imported.missing == ()
    check_nothing_left(job.stack)


def check_nothing_left(stack: RunningStack, timeout_s: float = 30) -> None:
    """No work files, no steps, no messages."""
    wait_for(lambda: not leftovers(stack), timeout_s, lambda: str(leftovers(stack)))


def leftovers(stack: RunningStack) -> list[str]:
    """Messages and steps; work files, where the media are in a folder.

    They are looked for in the direction that a job goes: otherwise one that moves meanwhile would not be seen.
    """
    work = stack.media_dir / "work" if stack.facts["media_dir"] else None
    with stack.redis() as client:
        keys = [key for key in client.scan_iter("encoding*") if client.llen(key)]
        keys += [key for key in client.scan_iter("{podjobs}:turns:*") if not key.endswith(":bell")]
        keys += [key for key in client.scan_iter("{podjobs}:steps:*") if client.xlen(key)]
    return [*keys, *(path.name for path in (work.iterdir() if work and work.exists() else ()))]
