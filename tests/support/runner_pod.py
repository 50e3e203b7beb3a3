"""What Pods of both dialects have in common that hand tasks over to a runner manager (runner_pod_v4, runner_pod_v5).

Each is a stand-in that follows the client's own code row by row: what it sends, stores, downloads and deletes, in which
order. Source: docs/contract-pod-runner.md.
"""

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

BLOCK_BYTES = 1 << 16


class Misfortune(StrEnum):
    """What can go wrong at the client; once each time that it is said."""

    LOST_ANSWER = "lost answer"
    """Its request was taken, but our answer does not arrive."""
    FAILED_IMPORT = "failed import"
    """The import breaks after some files, or before the first."""
    LOST_REPLY = "lost reply"
    """The call-back was done, but its answer does not arrive."""
    DOWN = "down"
    """The connection of the call-back breaks before anything is done."""
    ERROR = "error"
    """The call-back ends in an error 500 before anything is done."""
    BAD_GATEWAY = "bad gateway"
    """The call-back is done, but a proxy says 502."""
    SLOW = "slow"
    """The import takes long."""


class ImportFailedError(Exception):
    """The result cannot be imported."""


@dataclass
class Video:
    """A video at a Pod."""

    number: int
    source: str
    """The name of its file among those that Pod serves."""
    in_progress: bool = False
    error: str = ""
    """Why it is in error; empty: it is not."""
    renditions: dict[int, str] = field(default_factory=dict)
    """Height → the file that is played."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What was imported."""
    sent: int = 0
    """How often it was handed over."""
    misfortunes: list[Misfortune] = field(default_factory=list)
    """That happen to it."""

    @property
    def is_ready(self) -> bool:
        """Whether it can be watched."""
        return not self.in_progress and not self.error and bool(self.renditions)

    @property
    def has_ended(self) -> bool:
        """Right, or clearly failed."""
        return self.is_ready or bool(self.error)


@dataclass(frozen=True)
class Received:
    """A call-back that came."""

    task_id: str
    status: str
    error_message: str
    answer: int
    """0: none."""


class Manager:
    """The runner manager, as a client uses it."""

    def __init__(self, url: str, headers: dict[str, str], timeout_s: float) -> None:
        """Use the API at an address, with the client's own headers and time-out."""
        self.url = url
        self._client = httpx.Client(base_url=url, headers=headers, timeout=timeout_s)

    def execute(self, body: dict[str, Any]) -> httpx.Response:
        """Hand a task over."""
        return self._client.post("/task/execute", json=body)

    def get(self, path: str) -> httpx.Response:
        """Ask for anything."""
        return self._client.get(path)

    def files(self, task_id: str) -> list[Any]:
        """The list of a result's files. Raises ImportFailedError."""
        answer = self._client.get(f"/task/result/{task_id}")
        if answer.status_code != HTTPStatus.OK:
            raise ImportFailedError(f"The list of {task_id} was answered by {answer.status_code}: {answer.text[:200]}")
        return list(answer.json()["files"])

    def fetch(self, task_id: str, path: str, sha256: str = "") -> bytes:
        """Download a file, and verify it if its checksum is known. Raises ImportFailedError."""
        content = bytearray()
        with self._client.stream("GET", f"/task/result/{task_id}/file/{path}") as answer:
            if answer.status_code != HTTPStatus.OK:
                raise ImportFailedError(f"The file {path} was answered by {answer.status_code}.")
            for block in answer.iter_bytes(BLOCK_BYTES):
                content += block
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise ImportFailedError(f"The file {path} is damaged.")
        return bytes(content)


class RunnerPod:
    """Its media, its memory, and what goes wrong with it."""

    def __init__(self, sources: Path) -> None:
        """Nothing is served yet.

        Args:
            sources: the folder of the files that it serves below /media.
        """
        self.sources = sources
        self.url = ""
        """Where it is served; set once it is."""
        self.videos: dict[int, Video] = {}
        self.received: list[Received] = []
        self.misfortunes: list[Misfortune] = []
        """Those that happen to whichever video comes first; each is used up where it applies."""
        self.most_at_once = 0
        """The most call-backs of one task that were at work together."""
        self.faults: list[str] = []
        """What a client of this dialect must never see."""
        self.slow_s = 0.3
        self._at_work: Counter[str] = Counter()
        self.lock = threading.RLock()

    def application(self) -> web.Application:
        """The web application, without its call-back."""
        application = web.Application()
        application.router.add_static("/media", self.sources)
        return application

    def add_video(self, number: int, source: str) -> Video:
        """A user uploads a video, whose file is among those served."""
        self.videos[number] = video = Video(number, source)
        return video

    def happens(self, misfortune: Misfortune, video: Video | None) -> bool:
        """Whether this misfortune happens now, to a video or to whichever comes first; it is used up then."""
        with self.lock:
            for waiting in (video.misfortunes if video else [], self.misfortunes):
                if misfortune in waiting:
                    waiting.remove(misfortune)
                    return True
            return False

    def begin_call(self, task_id: str) -> None:
        """A call-back is at work from now on."""
        with self.lock:
            self._at_work[task_id] += 1
            self.most_at_once = max(self.most_at_once, self._at_work[task_id])

    def end_call(self, task_id: str, body: dict[str, Any], answer: int) -> None:
        """It has ended."""
        with self.lock:
            self._at_work[task_id] -= 1
            message = str(body.get("error_message") or "")
            self.received.append(Received(task_id, str(body.get("status")), message, answer))

    def is_called(self, task_id: str) -> bool:
        """Whether a call-back about a task is at work."""
        with self.lock:
            return self._at_work[task_id] > 0

    def statuses(self, task_id: str) -> list[str]:
        """What was said of a task, in turn."""
        return [one.status for one in self.received if one.task_id == task_id]


def abort(request: web.Request) -> web.Response:
    """Close the connection in place of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
