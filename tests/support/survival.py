"""Jobs that are watched while something goes wrong, and what must be true of them in the end."""

import itertools
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from local.client import Progress, request_encoding
from support.media import count_frames
from support.stack import RunningStack, wait_for

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


class Patients:
    """Puts jobs on a stack's queue, each with a video of its own."""

    def __init__(self, stack: RunningStack):
        self.stack = stack

    def place(self, source: Path | bytes | None, name: str = "talk.mp4") -> tuple[int, str, Path]:
        """Put a video where Pod has its uploads.

        Args:
            source: a file that is linked, its content, or None for no file at all.
            name: of the upload.

        Returns:
            Video id, path as Pod sees it, folder of the result.
        """
        video_id = next(_video_ids)
        folder = self.stack.media_dir / "videos" / f"user{video_id}"
        folder.mkdir(parents=True)
        if isinstance(source, bytes):
            (folder / name).write_bytes(source)
        elif source is not None:
            os.link(source, folder / name)
        pod_path = f"{self.stack.facts['media_root']}/videos/{folder.name}/{name}"
        return video_id, pod_path, folder / f"{video_id:04d}"

    def submit(self, source: Path | bytes | None, name: str = "talk.mp4") -> "Patient":
        video_id, pod_path, output = self.place(source, name)
        return Patient(self.stack, request_encoding(self.stack.broker_url, video_id, pod_path), video_id, output)

    def calls(self, video_id: int) -> list[dict]:
        """What Pod was told of a video."""
        return [call for call in self.stack.journal() if call["query"] == {"id": str(video_id)}]


@dataclass
class Patient:
    """A job on its way."""

    stack: RunningStack
    id: str
    video_id: int
    output: Path

    def progress(self) -> Progress | None:
        try:
            return self.stack.progress(self.id)
        except redis.RedisError:
            return None

    def wait_for(self, condition, timeout_s: float = 120) -> Progress:
        def holds() -> bool:
            progress = self.progress()
            return progress is not None and condition(progress)

        wait_for(holds, timeout_s, lambda: f"{self.progress()}\n{self.stack.log()}")
        return self.progress()

    def wait_until(self, stage: str, done: float = 0.0) -> Progress:
        """Wait until the job is in a stage, and that far; or until it has ended."""
        return self.wait_for(lambda progress: progress.ended or (progress.stage == stage and progress.done >= done))

    def wait_end(self, timeout_s: float = 120) -> Progress:
        return self.wait_for(lambda progress: progress.ended, timeout_s)

    def calls(self) -> list[dict]:
        """What Pod was told of it."""
        return [call for call in self.stack.journal() if call["query"] == {"id": str(self.video_id)}]

    def info(self) -> dict:
        return json.loads((self.output / "info_video.json").read_text())


def check_done(job: Patient, frames: int = FRAMES, killed_in: str = "") -> None:
    """The job ended well, in every respect.

    Whoever is killed between Pod's answer and the commit cannot know that Pod was told: then, only, Pod hears it twice.
    """
    progress = job.wait_end()
    assert (progress.state, progress.error) == ("done", ""), job.stack.log()
    info = job.info()
    assert info["job_id"] == job.id
    assert list(info["list_hls_files"]) == ["180", "360"]
    for made in ("180p.mp4", "180p.ts", "360p.ts"):
        assert count_frames(job.output / made) == frames
    assert [path.name for path in job.output.iterdir() if path.name.startswith(".")] == []
    accepted = [call for call in job.calls() if call["status"] == 200]
    assert len(accepted) in ({1, 2} if killed_in == "notify" else {1}), job.stack.log()
    assert all(call["imported"]["missing"] == [] for call in accepted)
    check_nothing_left(job.stack)


def check_nothing_left(stack: RunningStack, timeout_s: float = 30) -> None:
    """No work files, no steps, no messages."""
    deadline = time.monotonic() + timeout_s
    while left := leftovers(stack):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def leftovers(stack: RunningStack) -> list[str]:
    work = stack.media_dir / "work"
    with stack.redis() as client:
        keys = [key for key in client.scan_iter("podjobs:steps:*") if client.xlen(key)]
        keys += [key for key in client.scan_iter("encoding*") if client.llen(key)]
    return [*keys, *(path.name for path in (work.iterdir() if work.exists() else ()))]
