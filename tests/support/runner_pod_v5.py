"""A Pod 5: the columns V5 of docs/contract-pod-runner.md, each method a few rows of them."""

import asyncio
import hmac
import json
import re
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from support.runner_pod import ImportFailedError, Manager, Misfortune, RunnerPod, Video, abort

CALLBACK = "/api/encoding/notify/"
_HEIGHT = re.compile(r"(\d+)p?_.*\.mp4")
"""Row h: the name before `_`."""


class RunnerPodV5(RunnerPod):
    """Pod with its API-only backend."""

    timeout_s = 10.0

    def __init__(self, sources: Path, token: str, secret: str = "s3cret-of-the-site") -> None:  # noqa: S107
        """Nothing is served yet.

        Args:
            sources: see RunnerPod.
            token: that it shows.
            secret: of its call-back's URL.
        """
        super().__init__(sources)
        self.token = token
        self.secret = secret
        self.manager: Manager | None = None
        self.deleted: set[int] = set()
        """The videos whose uploaded file is gone."""

    def use(self, url: str) -> None:
        """Name its manager; there is one."""
        self.manager = Manager(url, {"X-API-Token": self.token}, self.timeout_s)

    def application(self) -> web.Application:
        """The web application."""
        application = super().application()
        application.router.add_post(CALLBACK, self.notify)
        return application

    def body(self, video: Video, dressing: dict[str, Any] | None = None) -> dict[str, Any]:
        """What it sends (rows a, d, e)."""
        rendition = {
            "360": {"resolution": "640x360", "encode_mp4": True},
            "720": {"resolution": "1280x720", "encode_mp4": True},
            "1080": {"resolution": "1920x1080", "encode_mp4": False},
        }
        parameters = {"rendition": json.dumps(rendition)} | ({"dressing": json.dumps(dressing)} if dressing else {})
        return {
            "etab_name": "Université",
            "app_name": "Pod",
            "app_version": "5.0.0",
            "task_type": "encoding",
            "source_url": f"{self.url}/media/{video.source}",
            "parameters": parameters,
            "notify_url": f"{self.url}{CALLBACK}?secret={self.secret}&video_id={video.number}",
        }

    def request(self, video: Video, dressing: dict[str, Any] | None = None) -> str:
        """Request an encoding: whatever is not 200 puts the video in error at once (rows b, c, j).

        Returns:
            The task's number, which it does not store; empty: there is none, or the answer was lost.
        """
        video.sent += 1
        video.in_progress, video.error = True, ""
        assert self.manager is not None
        try:
            answer = self.manager.execute(self.body(video, dressing))
        except httpx.HTTPError as error:
            self._fail(video, f"The manager does not answer: {type(error).__name__}")
            return ""
        if answer.status_code != HTTPStatus.OK:
            self._fail(video, f"The manager answered {answer.status_code}.")
            return ""
        return "" if self.happens(Misfortune.LOST_ANSWER, video) else str(answer.json()["task_id"])

    async def notify(self, request: web.Request) -> web.StreamResponse:
        """Its view."""
        if not hmac.compare_digest(request.query.get("secret", ""), self.secret):
            raise web.HTTPForbidden
        body = await request.json()
        video = self.videos.get(int(request.query.get("video_id", 0)))
        if video is None:
            raise web.HTTPNotFound
        if self.happens(Misfortune.DOWN, video):
            return abort(request)
        if self.happens(Misfortune.ERROR, video):
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        work = asyncio.ensure_future(asyncio.to_thread(self._do, video, body))
        status = await asyncio.shield(work)
        if self.happens(Misfortune.LOST_REPLY, video):
            return abort(request)
        if self.happens(Misfortune.BAD_GATEWAY, video):
            return web.Response(status=HTTPStatus.BAD_GATEWAY)
        return web.Response(status=status, text="import failed" if status >= HTTPStatus.BAD_REQUEST else "OK")

    def _do(self, video: Video, body: dict[str, Any]) -> int:
        task_id, status = str(body["task_id"]), HTTPStatus.OK
        if self.is_called(task_id):  # row i: it has no lock
            self.faults.append(f"{task_id}: two calls at once")
        self.begin_call(task_id)
        try:
            if body["status"] == "completed":
                if self.happens(Misfortune.SLOW, video):
                    time.sleep(self.slow_s)
                self._import(video, task_id)
            else:  # row f: `running`, too
                if body["status"] != "failed":
                    self.faults.append(f"{task_id}: told {body['status']!r}")
                self._fail(video, str(body.get("error_message") or body["status"]))
        except (ImportFailedError, httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        finally:
            self.end_call(task_id, body, status)
        return status

    def _fail(self, video: Video, message: str) -> None:
        with self.lock:
            video.in_progress, video.error = False, message

    def _import(self, video: Video, task_id: str) -> None:
        """Rows g, h, l: the source is deleted, then the MP4s and one picture are downloaded."""
        self.deleted.add(video.number)
        (self.sources / video.source).unlink(missing_ok=True)
        assert self.manager is not None
        names = self.manager.files(task_id)
        wanted = [name for name in names if name.endswith(".mp4")]  # an object has no such method
        picture = next((name for name in names if name.rpartition(".")[0].endswith("_0")), None)
        files, renditions = dict[str, bytes](), dict[int, str]()
        breaks = self.happens(Misfortune.FAILED_IMPORT, video)
        for name in wanted:
            found = _HEIGHT.fullmatch(name)
            if found is None:
                raise ImportFailedError(f"{name} has no height in its name.")
            files[name] = self.manager.fetch(task_id, name)
            renditions[int(found[1])] = name
            if breaks:
                raise ImportFailedError("As the test says.")
        if not renditions:
            raise ImportFailedError("There is no MP4.")
        if picture:
            files[picture] = self.manager.fetch(task_id, picture)
        with self.lock:
            video.files, video.renditions = files, renditions
            video.in_progress, video.error = False, ""
