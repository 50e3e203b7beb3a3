"""A real adapter with the runner API, its Redis, and functions for it: what the stand-ins of both dialects talk to."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from podjobs.backends.files import FileStorage
from podjobs.notification.runner_calls import RunnerWaits
from support.parts import Adapter, new_adapter, running_redis
from support.processes import free_port, serves, wait_for
from support.runner_pod import RunnerPod
from support.runner_pod_v4 import RunnerPodV4
from support.runner_pod_v5 import RunnerPodV5
from support.runner_work import HASTE, RunnerWork, serving_work
from support.serving import serving

TOKENS = {"four": "four-5up3rt0ken-of-a-Pod-4", "five": "five-5up3rt0ken-of-a-Pod-5"}
"""By client."""
SETTINGS = {
    "PODJOBS_LEASE_S": "1.5",
    "PODJOBS_SWEEP_S": "0.1",
    "PODJOBS_RETRY_BASE_S": "0.1",
    "PODJOBS_RETRY_CAP_S": "0.4",
    "PODJOBS_BUSY_CAP_S": "0.3",
    "PODJOBS_GRACE_S": "0.3",
    "PODJOBS_TIMEOUT_MARGIN_S": "0.5",
    "PODJOBS_CONCURRENCY_ENCODING": "16",
    "PODJOBS_CONCURRENCY_TRANSCRIPTION": "4",
    "PODJOBS_CONCURRENCY_NOTIFICATION": "16",
    "PODJOBS_RETRY_LIMIT_ENCODING": "100",
    "PODJOBS_RETRY_LIMIT_TRANSCRIPTION": "100",
    "PODJOBS_RETRY_LIMIT_NOTIFICATION": "1000",
}
"""Short waits, and so many attempts that none is the last."""


@dataclass
class RunnerStack:
    """What runs."""

    url: str
    """Of the runner API."""
    adapter: Adapter
    work: RunnerWork
    jobs: Any
    """A client of its Redis that returns text."""
    four: RunnerPodV4
    five: RunnerPodV5

    def restart_adapter(self) -> None:
        """Kill the adapter, and start it again."""
        self.adapter.kill()
        self.adapter.start()

    def wait(self) -> None:
        """Wait until the API answers."""
        self.adapter.wait_for(lambda: serves(f"{self.url}/api/health"), 30)


def client_settings(token: str) -> dict[str, Any]:
    """What PODJOBS_RUNNER_CLIENTS says of a client on this machine."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return {"token_sha256": digest, "notify_hosts": ["127.0.0.1"], "private": True}


@contextmanager
def running_runner_stack(
    folder: Path,
    *,
    seed: int | None = None,
    waits: RunnerWaits = HASTE,
    store_s: float = 0.0,
    settings: Mapping[str, str] | None = None,
) -> Iterator[RunnerStack]:
    """Run everything, with a Pod of each dialect, until the end of the block.

    Args:
        folder: for all files; new.
        seed: of what goes wrong in the functions; None: nothing.
        waits: how long clients are given.
        store_s: how long the Pod 4 takes to store our answer, twice.
        settings: more of the adapter's.
    """
    sources, media = folder / "sources", folder / "media"
    sources.mkdir(parents=True)
    media.mkdir()
    four, five = RunnerPodV4(sources, TOKENS["four"], store_s=store_s), RunnerPodV5(sources, TOKENS["five"])
    work = RunnerWork(FileStorage(media, str(media)), seed, waits)
    with ExitStack() as resources:
        for pod in (four, five):
            pod.url = resources.enter_context(serving(pod.application()))
        addresses = resources.enter_context(serving_work(work))
        redis_port, port = resources.enter_context(running_redis(folder / "redis")), free_port()
        given = SETTINGS | addresses | dict(settings or {})
        given |= {
            "MEDIA_ROOT": str(media),
            "PODJOBS_RUNNER_PORT": str(port),
            "PODJOBS_RUNNER_CLIENTS": json.dumps({name: client_settings(token) for name, token in TOKENS.items()}),
        }
        adapter = new_adapter(f"redis://127.0.0.1:{redis_port}/0", given, folder)
        url = f"http://127.0.0.1:{port}"
        four.use(url)
        five.use(url)
        jobs = resources.enter_context(redis.Redis(port=redis_port, decode_responses=True))
        stack = RunnerStack(url, adapter, work, jobs, four, five)
        adapter.start()
        resources.callback(adapter.kill)
        stack.wait()
        yield stack


def upload(pod: RunnerPod, number: int, content: bytes = b"") -> str:
    """A user uploads a file to a Pod; returns its name."""
    name = f"video-{number}.mp4"
    (pod.sources / name).write_bytes(content or f"source {number}: ".encode())
    return name


def wait_until_ended(pod: RunnerPod, number: int, timeout_s: float = 30) -> None:
    """Wait until a video can be watched, or has failed."""
    wait_for(lambda: pod.videos[number].has_ended, timeout_s, lambda: f"{pod.videos[number]} {pod.received[-5:]}")
