"""A whole stack of containers: Redis, an LRS and a stand-in for Pod on this machine, all that is ours in containers."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from local.client import JobRecords, place_video, request_encoding
from support.containers import GID, Containers
from support.lrs import LOGIN, PASSWORD
from support.parts import running_redis
from support.processes import Program, free_port, wait_for
from support.real_lrs import Ralph

POD_ROOT = "/pod/media"
"""The media root as Pod names it: nowhere but in messages."""
MEDIA, SECRET, TOKEN = "/media", "the-secret-of-these-containers", "a-token-of-the-stand-in"
MODELS = {"WHISPER": {"en": {"model": "/opt/models/tiny.en"}}}
JOB_TIMEOUT_S = 240


@dataclass(frozen=True)
class ContainerStack:
    """What runs."""

    containers: Containers
    redis: Any
    broker_url: str
    media: Path
    lrs: Ralph
    pod: Program
    parts: Mapping[str, Program]
    """The containers, by the names of their images."""

    def name(self, image: str) -> str:
        """The name of the container of an image."""
        return self.parts[image].name

    def encode(self, video: Path, video_id: int = 1) -> Path:
        """Encode a video as Pod has it done; returns the folder of the result."""
        placed = place_video(video, self.media)
        placed.parent.chmod(0o2775)
        os.chown(placed.parent, -1, GID)
        job_id = request_encoding(self.broker_url, video_id, f"{POD_ROOT}/{placed.relative_to(self.media)}")
        self.wait_for_job(job_id)
        return placed.parent / f"{video_id:04d}"

    def wait_for_job(self, job_id: str) -> None:
        """Wait until a job is done."""
        records = JobRecords(self.broker_url)
        try:
            wait_for(lambda: records.progress(job_id).ended, JOB_TIMEOUT_S, self.said)
            progress = records.progress(job_id)
            assert progress.state == "done", progress.error + self.said()
        finally:
            records.close()

    def said(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"--- {name}\n{part.said()[-3000:]}" for name, part in self.parts.items())


def media_settings(media: Path) -> tuple[dict[str, str], list[str]]:
    """The settings, and the mounts, of a container that uses the media."""
    return {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": f"file://{MEDIA}"}, [f"{media}:{MEDIA}"]


@contextlib.contextmanager
def running_containers(containers: Containers, folder: Path, *, worker: bool = False) -> Iterator[ContainerStack]:
    """Start everything, and stop it at the end.

    Args:
        containers: with all images.
        folder: for files and logs.
        worker: whether encoding is an RQ worker, instead of a server.
    """
    media = folder / "media"
    media.mkdir()
    os.chown(media, -1, GID)
    media.chmod(0o2775)
    with contextlib.ExitStack() as running:
        port = running.enter_context(running_redis(folder / "redis"))
        client = running.enter_context(redis.Redis(port=port, decode_responses=True))
        broker_url = f"redis://127.0.0.1:{port}/0"
        lrs = Ralph(folder / "lrs")
        lrs.program.log = folder / "ralph.log"
        running.callback(lrs.stop)
        lrs.start()
        pod = _pod(folder, media, broker_url)
        parts = _parts(containers, media, broker_url, lrs.url, pod.page, worker=worker)
        for program in (pod, *parts.values()):
            running.callback(program.stop, 30)
            program.start()
        for program in (pod, *parts.values()):
            if program.page:
                program.wait()
        yield ContainerStack(containers, client, broker_url, media, lrs, pod, parts)


def _pod(folder: Path, media: Path, broker_url: str) -> Program:
    port = free_port()
    settings = {"POD_API_TOKEN": TOKEN, "MEDIA_ROOT": POD_ROOT, "MEDIA_URL": f"file://{media}"}
    settings |= {"ENCODING_TRANSCODING_CELERY_BROKER_URL": broker_url}
    argv = [sys.executable, "-m", "local.pod", "--port", str(port)]
    # a page that its control answers: a video nobody has announced
    return Program("pod", argv, settings, folder / "pod.log", f"http://127.0.0.1:{port}/control/videos/999")


def _parts(
    containers: Containers, media: Path, broker_url: str, lrs_url: str, pod_page: str, *, worker: bool
) -> dict[str, Program]:
    ports = {name: free_port() for name in ("encoding", "transcription", "notification", "xapi", "adapter")}
    media_set, mounts = media_settings(media)
    pod_url = f"http://{pod_page.split('/')[2]}/rest"
    own: dict[str, dict[str, str]] = {
        "encoding": media_set | {"FFMPEG_PRESET": "ultrafast"},
        "transcription": media_set | {"TRANSCRIPTION_MODEL_PARAM": json.dumps(MODELS)},
        "notification": media_set | {"POD_API_URL": pod_url, "POD_API_TOKEN": TOKEN},
        "xapi": {"XAPI_LRS_URL": lrs_url, "XAPI_LRS_LOGIN": LOGIN, "XAPI_LRS_PWD": PASSWORD},
    }
    secret = {"PODJOBS_FUNCTION_SECRET": SECRET}
    urls = {f"PODJOBS_FUNCTION_URL_{name.upper()}": f"http://127.0.0.1:{ports[name]}/" for name in own}
    parts = {}
    for name, settings in own.items():
        image = "transcription:tiny.en" if name == "transcription" else name
        listening = {"HOST": "127.0.0.1", "PORT": str(ports[name])}
        page, given = f"http://127.0.0.1:{ports[name]}/", settings | secret | listening
        command: tuple[str, ...] = ()
        if worker and name == "encoding":
            urls["PODJOBS_FUNCTION_URL_ENCODING"] = "rq:encoding"
            page, command, given = "", ("worker", "--concurrency", "2"), settings | {"PODJOBS_RQ_URL": broker_url}
        used = [] if name == "xapi" else mounts
        parts[name] = containers.new(f"pf-{name}", image, *command, settings=given, mounts=used, page=page)
    given = urls | secret | {"MEDIA_ROOT": POD_ROOT, "ENCODING_TRANSCODING_CELERY_BROKER_URL": broker_url}
    given |= {"PODJOBS_HEALTH_HOST": "127.0.0.1", "PODJOBS_HEALTH_PORT": str(ports["adapter"])}
    page = f"http://127.0.0.1:{ports['adapter']}/readyz"
    parts["adapter"] = containers.new("pf-adapter", "adapter", settings=given, page=page)
    return parts
