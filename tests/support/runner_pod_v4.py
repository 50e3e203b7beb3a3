"""A Pod 4.2 to 4.4: the columns V4 of docs/contract-pod-runner.md, each method a few rows of them."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from support.runner_pod import ImportFailedError, Manager, Misfortune, RunnerPod, Video, abort

CALLBACK = "/runner/notify_task_end/"
PER_RUN = 20
"""Row o."""
RENDITIONS = {360: "640x360", 720: "1280x720", 1080: "1920x1080"}
"""Pod's rows."""
LISTS = ("encode_video", "encode_audio", "encode_thumbnail")


@dataclass
class Task:
    """A row of its table of tasks."""

    number: int
    type: str
    video: Video
    parameters: dict[str, Any]
    status: str = "pending"
    task_id: str = ""
    changed_at: float = field(default_factory=time.monotonic)
    script_output: str = ""


class RunnerPodV4(RunnerPod):
    """Esup-Pod with a runner manager."""

    timeout_s = 30.0

    def __init__(self, sources: Path, token: str, *, stores_first: bool = True, store_s: float = 0.0) -> None:
        """Nothing is served yet.

        Args:
            sources: see RunnerPod.
            token: of its runner manager.
            stores_first: whether `completed` is stored before the import is tried, as 4.2 and 4.3 do.
            store_s: how long each of its two writings takes after it has our answer (row j).
        """
        super().__init__(sources)
        self.token = token
        self.managers: list[Manager] = []
        """In the order in which they are tried."""
        self.tasks: list[Task] = []
        self.progress: list[str] = []
        """What `running` call-backs have said."""
        self._stores_first = stores_first
        self._store_s = store_s

    def use(self, *urls: str) -> None:
        """Name its runner managers."""
        headers = {"Authorization": f"Bearer {self.token}"}
        self.managers = [Manager(url, headers, self.timeout_s) for url in urls]

    def application(self) -> web.Application:
        """The web application."""
        application = super().application()
        application.router.add_route("*", CALLBACK, self.notify_task_end)
        return application

    def request(self, video: Video, type_: str = "encoding", **parameters: Any) -> Task:
        """Request work on a video, and hand it over (rows a, b, d, j)."""
        task = Task(len(self.tasks) + 1, type_, video, parameters or {"rendition": self.rendition()})
        with self.lock:
            self.tasks.append(task)
        self.submit(task)
        return task

    def rendition(self) -> str:
        """All renditions as the newer versions write them (row d)."""
        rows = {
            str(height): {
                "resolution": resolution,
                "encode_mp4": height < 1080,
                "video_bitrate": f"{height * 2}k",
                "audio_bitrate": "128k",
            }
            for height, resolution in RENDITIONS.items()
        }
        return json.dumps(rows)

    def body(self, task: Task) -> dict[str, Any]:
        """What it sends (rows a, e)."""
        return {
            "etab_name": "Université / Pod",
            "app_name": "Esup-Pod",
            "app_version": "4.4.0",
            "task_type": task.type,
            "source_url": f"{self.url}/media/{task.video.source}",
            "affiliation": "employee",
            "parameters": task.parameters,
            "notify_url": f"{self.url}{CALLBACK}",
        }

    def submit(self, task: Task) -> None:
        """Try one manager after the other; what none takes stays pending (row b)."""
        task.video.sent += 1
        for manager in self.managers:
            try:
                answer = manager.execute(self.body(task))
            except httpx.HTTPError:
                continue
            if answer.status_code != HTTPStatus.OK or self.happens(Misfortune.LOST_ANSWER, task.video):
                continue
            self._store(task, answer.json())
            return

    def _store(self, task: Task, answer: dict[str, Any]) -> None:
        """Row j: the number is stored, then the video is set «in progress» and its old renditions are deleted."""
        time.sleep(self._store_s)
        with self.lock:
            task.task_id, task.status = str(answer["task_id"]), str(answer["status"])
            task.changed_at = time.monotonic()
            if task.status == "pending":  # row c: its cron would submit it again and again
                self.faults.append(f"{task.task_id} was answered «pending»")
        time.sleep(self._store_s)
        with self.lock:
            if task.type != "transcription":
                task.video.in_progress, task.video.error = True, ""
                task.video.renditions, task.video.files = {}, {}

    def submit_pending(self) -> None:
        """Its cron, every 3 minutes (row o)."""
        for task in [one for one in self.tasks if one.status == "pending"][:PER_RUN]:
            self.submit(task)

    def look_at_running(self, older_than_s: float) -> None:
        """Its cron, for tasks that have been running for 2 hours (rows i, o)."""
        for task in list(self.tasks):
            if task.status != "running" or time.monotonic() - task.changed_at < older_than_s:
                continue
            answer = self.managers[0].get(f"/task/status/{task.task_id}")
            status = answer.json().get("status") if answer.status_code == HTTPStatus.OK else ""
            if status == "completed" and task.type != "studio":
                self._import(task)
            elif status in {"failed", "timeout"}:
                self._fail(task, f"The task ended as {status}.")

    async def notify_task_end(self, request: web.Request) -> web.StreamResponse:
        """Its view (row m)."""
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        if request.content_type != "application/json":
            return web.Response(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        if shown != self.token:
            return web.Response(status=HTTPStatus.FORBIDDEN)
        try:
            body = await request.json()
            task_id, status = str(body["task_id"]), str(body["status"])
        except (ValueError, KeyError, TypeError):
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        return await self._take(request, body, task_id, status)

    async def _take(self, request: web.Request, body: dict[str, Any], task_id: str, status: str) -> web.StreamResponse:
        task = next((one for one in self.tasks if one.task_id == task_id), None)
        video = task.video if task else None
        if self.happens(Misfortune.DOWN, video):
            return abort(request)
        if self.happens(Misfortune.ERROR, video):
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="<h1>Server Error (500)</h1>")
        if task is None:
            self.end_call_at_once(task_id, body)
            return web.Response(status=HTTPStatus.NOT_FOUND)
        # a proxy that has lost patience does not end the request
        await asyncio.shield(asyncio.ensure_future(asyncio.to_thread(self._do, task, body, status)))
        if self.happens(Misfortune.LOST_REPLY, video):
            return abort(request)
        if self.happens(Misfortune.BAD_GATEWAY, video):
            return web.Response(status=HTTPStatus.BAD_GATEWAY)
        return web.Response(text="OK")

    def end_call_at_once(self, task_id: str, body: dict[str, Any]) -> None:
        """A call-back about a task that it does not know."""
        self.begin_call(task_id)
        self.end_call(task_id, body, HTTPStatus.NOT_FOUND)

    def _do(self, task: Task, body: dict[str, Any], status: str) -> None:
        self.begin_call(task.task_id)
        try:
            task.script_output = str(body.get("script_output") or "")
            if status == "completed":
                if self.happens(Misfortune.SLOW, task.video):
                    time.sleep(self.slow_s)
                self._import(task)
            elif status == "running":  # row f
                self.progress.append(task.script_output)
            else:
                self._fail(task, str(body.get("error_message") or "failed"))
        finally:
            self.end_call(task.task_id, body, HTTPStatus.OK)

    def _fail(self, task: Task, message: str) -> None:
        with self.lock:
            task.status, task.changed_at = "failed", time.monotonic()
            if task.type != "transcription":
                task.video.in_progress, task.video.error = False, message

    def _import(self, task: Task) -> None:
        """Row i: whatever comes of it, the answer is 200 «OK»."""
        if self._stores_first:
            task.status = "completed"
        try:
            files = self._download(task)
            check_files(task.type, files)
        except (ImportFailedError, httpx.HTTPError, ValueError, KeyError) as error:
            task.script_output = f"Import failed: {error}"
            task.status = "completed" if self._stores_first else "running"
            return
        with self.lock:
            task.status, task.changed_at = "completed", time.monotonic()
            video = task.video
            if task.type == "transcription":
                video.files |= files
                return
            video.files, video.in_progress, video.error = files, False, ""
            heights = [height for height in RENDITIONS if any(name.startswith(f"{height}p_") for name in files)]
            video.renditions = {height: f"{height}p" for height in heights}

    def _download(self, task: Task) -> dict[str, bytes]:
        """Row g: the list holds names, or objects with checksums."""
        manager, files = self.managers[0], dict[str, bytes]()
        breaks = self.happens(Misfortune.FAILED_IMPORT, task.video)
        for entry in manager.files(task.task_id):
            if breaks and files:
                raise ImportFailedError("As the test says.")
            name = entry if isinstance(entry, str) else entry["file_path"]
            files[name] = manager.fetch(task.task_id, name, "" if isinstance(entry, str) else entry.get("sha256", ""))
        if breaks:
            raise ImportFailedError("As the test says.")
        return files


def check_files(type_: str, files: dict[str, bytes]) -> None:
    """Check a result as its importer does (rows h, n, q, r). Raises ImportFailedError."""
    info = json.loads(files["info_video.json"])
    if type_ == "transcription":
        if sum(name.endswith(".vtt") for name in files) != 1:
            raise ImportFailedError("There is not exactly one .vtt.")
        return
    if type_ == "studio" and "studio_base.mp4" not in files:
        raise ImportFailedError("studio_base.mp4 is missing.")
    missing = sorted(name for name in _named(info) if name not in files)
    if missing:
        raise ImportFailedError(f"{missing} are named, but not there.")
    if info.get("has_stream_video") not in {True, "true"} and info.get("has_stream_audio") not in {True, "true"}:
        raise ImportFailedError("There is nothing to play.")
    for entry in info.get("encode_video") or []:
        if entry["rendition"] not in RENDITIONS.values():
            raise ImportFailedError(f"There is no rendition {entry['rendition']}.")
        name = entry["filename"]
        if name.endswith(".m3u8") and f"{name.removesuffix('.m3u8')}.ts" not in files:
            raise ImportFailedError(f"{name} has no .ts.")


def _named(info: dict[str, Any]) -> list[str]:
    """The files that info_video.json names; a list of one may be written as the object alone."""
    named = list[str]()
    for key in LISTS:
        entries = info.get(key) or []
        named += [entry["filename"] for entry in ([entries] if isinstance(entries, dict) else entries)]
    return named
