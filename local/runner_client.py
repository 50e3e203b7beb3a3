"""A demonstration's Pod ≥ 4.2: it hands a task over through the runner API, is called back, and fetches the result.

    POST /task/execute ─▶ our answer ─▶ GET /media/<name> by the stack ─▶ … ─▶ POST /notify ─▶ GET /task/result/…

Like Pod, it fetches all files within the request that tells it of the end. Source: docs/contract-pod-runner.md.
"""

import asyncio
import hashlib
import json
import secrets
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from local.ports import LISTENERS

NAME = "demonstration"
INFO = "info_video.json"
HLS = "video/mp2t"
TIMEOUT_S = 30.0
BLOCK_BYTES = 1 << 20
HOLD_S = 2
"""This client has stored the task's number as soon as it has our answer; Pod needs longer."""


@dataclass
class Task:
    """A task that was handed over."""

    folder: Path
    """Where the result is put."""
    status: str = ""
    """As the call-back said; empty: none has come."""
    error: str = ""
    """Why it failed, or why its result could not be fetched."""


class RunnerDemonstration:
    """A client of the runner API, on this machine."""

    def __init__(self, api_port: int) -> None:
        """Choose a token; nothing is served yet, see `serving`.

        Args:
            api_port: where the adapter is to serve its runner API.
        """
        self._token = secrets.token_urlsafe(32)
        self._api_port = api_port
        self._own_url = ""
        self._media: dict[str, Path] = {}
        self._tasks: dict[str, Task] = {}

    @property
    def settings(self) -> dict[str, str]:
        """The stack's settings that make it serve this client."""
        digest = hashlib.sha256(self._token.encode()).hexdigest()
        client = {"token_sha256": digest, "notify_hosts": ["127.0.0.1"], "private": True}
        return {
            "PODJOBS_RUNNER_PORT": str(self._api_port),
            "PODJOBS_RUNNER_CLIENTS": json.dumps({NAME: client}),
            "PODJOBS_RUNNER_HOLD_S": str(HOLD_S),
            "PODJOBS_FETCH_PRIVATE": json.dumps(["127.0.0.0/8"]),
        }

    def request(self, type_: str, source: Path, folder: Path, **parameters: Any) -> str:
        """Hand a task over.

        Args:
            type_: as the API names it.
            source: the file, which is served to the stack.
            folder: where its result is put; made if need be.
            parameters: of the task.

        Returns:
            Its number, which is the job's id.
        """
        self._media[source.name] = source
        body = {
            "etab_name": "Demonstration",
            "app_name": "Esup-Pod",
            "task_type": type_,
            "source_url": f"{self._own_url}/media/{quote(source.name)}",
            "parameters": parameters,
            "notify_url": f"{self._own_url}/notify",
        }
        with self._open("/task/execute", json.dumps(body).encode()) as answer:
            task_id = str(json.load(answer)["task_id"])
        folder.mkdir(parents=True, exist_ok=True)
        self._tasks[task_id] = Task(folder)
        return task_id

    def outcome(self, task_id: str) -> str:
        """Why there is no result; empty: it was fetched."""
        task = self._tasks[task_id]
        if task.status == "completed" and not task.error:
            return ""
        return task.error or "The client was not told of the end."

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve the files and the call-back, until the end of the block."""
        loop = asyncio.new_event_loop()
        application = web.Application()
        application.add_routes([web.get("/media/{name}", self._give), web.post("/notify", self._take_call)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

        async def start() -> None:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()

        loop.run_until_complete(start())
        self._own_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        thread = threading.Thread(target=loop.run_forever, name="runner-client", daemon=True)
        thread.start()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(TIMEOUT_S)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _give(self, request: web.Request) -> web.StreamResponse:
        path = self._media.get(request.match_info["name"])
        return web.FileResponse(path) if path else web.Response(status=HTTPStatus.NOT_FOUND)

    async def _take_call(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        body = await request.json()
        task = self._tasks.get(str(body["task_id"]))
        if task is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        if body["status"] == "running":
            return web.Response(text="OK")
        task.status, task.error = str(body["status"]), str(body.get("error_message") or "")
        if task.status == "completed":
            try:
                await asyncio.to_thread(self._fetch_all, str(body["task_id"]), task.folder)
            except OSError as error:
                task.error = f"The result cannot be fetched: {error}."
                return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        return web.Response(text="OK")

    def _fetch_all(self, task_id: str, folder: Path) -> None:
        """Download a result. Raises OSError."""
        with self._open(f"/task/result/{task_id}") as answer:
            entries = json.load(answer)["files"]
        for entry in entries:
            name = entry if isinstance(entry, str) else entry["file_path"]
            expected = "" if isinstance(entry, str) else entry["sha256"]
            digest = hashlib.sha256()
            with self._open(f"/task/result/{task_id}/file/{name}") as answer, (folder / name).open("wb") as file:
                while block := answer.read(BLOCK_BYTES):
                    digest.update(block)
                    file.write(block)
            if expected and digest.hexdigest() != expected:
                raise OSError(f"the checksum of {name} is not that of the list")

    def _open(self, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self._api_port}{path}"
        return LISTENERS.open(urllib.request.Request(url, body, headers), timeout=TIMEOUT_S)


def as_clock(time_s: float) -> str:
    """A time as Pod writes those of a cut: `HH:MM:SS`, with decimals if need be."""
    minutes, seconds = divmod(time_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:06.3f}".removesuffix(".000")


def import_result(folder: Path) -> None:
    """Do what Pod does with a result that it has fetched: write the playlist that leads to those of the renditions.

    Args:
        folder: where the result is.
    """
    info = json.loads((folder / INFO).read_text(encoding="utf-8"))
    lines = ["#EXTM3U", "#EXT-X-VERSION:4"]
    for one in info["encode_video"]:
        stream = (folder / one["filename"]).with_suffix(".ts")
        if one["encoding_format"] == HLS and stream.exists():
            bps = int(8 * stream.stat().st_size / max(1, info["duration"]))
            lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={bps},RESOLUTION={one['rendition']}", one["filename"]]
    (folder / "livestream.m3u8").write_text("\n".join([*lines, ""]), encoding="utf-8")


def list_by_kind(info: dict[str, Any]) -> dict[str, Any]:
    """Write what an info_video.json for the runner API names as one for Pod's shared folder does; others are returned.

    Args:
        info: the parsed file.
    """
    if "encode_video" not in info:
        return info
    lists: dict[str, dict[str, str]] = {name: {} for name in ("mp4", "hls", "mp3", "m4a", "thumbnail", "overview")}
    for one in info["encode_video"]:
        lists["hls" if one["encoding_format"] == HLS else "mp4"][one["rendition"]] = one["filename"]
    for one in info.get("encode_audio") or []:
        lists["mp3" if one["filename"].endswith(".mp3") else "m4a"][one["filename"]] = one["filename"]
    for number, one in enumerate(info.get("encode_thumbnail") or []):
        lists["thumbnail"][str(number)] = one["filename"]
    return info | {f"list_{name}_files": files for name, files in lists.items()}
