"""A stand-in for Pod's REST interface: what the contract says Pod does, and the faults a real Pod shows on bad days.

    POST /rest/store_remote_encoded_video/?id=N       as Pod; then asks for the transcription, where one is wanted
    POST /rest/store_remote_transcripted_video/?id=N  as Pod; the track is kept in the media root's folder `tracks`
    GET  /rest/videos/N/                              as Pod
    POST /control/videos/N                            marks a video as being encoded, as Pod does when it sends it;
                                                      {"transcribe": LANGUAGE}: and as one to be transcribed then
    GET  /control/videos/N                            the id of its transcription's job
    POST /control/answers                             a JSON list: how the next calls are answered

A video nobody has announced is taken as one being encoded. All calls go to a journal of JSON lines.
Source: docs/contract-pod.md, callbacks.
"""

import asyncio
import hmac
import json
import os
import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
import webvtt
from aiohttp import web
from aiohttp.typedefs import Handler

from local.client import request_transcription

REQUIRED_FIELDS = ("start", "stop", "video_id", "video_path", "cut_start", "cut_end")
HANG_S = 3600
TRACKS = "tracks"
IMPORTED = web.RequestKey("imported", dict[str, Any])


class Misbehaviour(StrEnum):
    """Answers other than a status number."""

    HANG = "hang"
    """Nothing is done and no answer comes."""
    ABORT = "abort"
    """The connection breaks before anything is done."""
    LOST = "lost"
    """The call is done, then the connection breaks: the answer is lost."""
    LATE = "late"
    """The call is done, but no answer comes."""


@dataclass
class Video:
    """How far Pod is with a video."""

    in_progress: bool = True
    encoded: bool = False
    step: str = "1 : start encoding"
    language: str = ""
    """To be transcribed in, once it is encoded."""
    transcription_job: str = ""


@dataclass
class StandInPod:
    """Pod's memory, and its REST views."""

    token: str
    media_root: Path
    """Pod's MEDIA_ROOT: paths in callbacks begin with it."""
    media_dir: Path
    """The same folder as this process sees it."""
    journal: Path
    broker_url: str = ""
    """Where tasks go."""
    videos: dict[int, Video] = field(default_factory=dict)
    answers: deque[str] = field(default_factory=deque)

    def application(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_post("/rest/store_remote_encoded_video/", self.store_encoded)
        app.router.add_post("/rest/store_remote_transcripted_video/", self.store_transcribed)
        app.router.add_get("/rest/videos/{id:[0-9]+}/", self.show_video)
        app.router.add_post("/control/videos/{id:[0-9]+}", self.announce)
        app.router.add_get("/control/videos/{id:[0-9]+}", self.show_transcription)
        app.router.add_post("/control/answers", self.script)
        return app

    async def announce(self, request: web.Request) -> web.Response:
        """Mark a video as being encoded."""
        wanted = await request.json() if request.can_read_body else {}
        self.videos[int(request.match_info["id"])] = Video(language=str(wanted.get("transcribe", "")))
        return web.json_response({})

    async def show_transcription(self, request: web.Request) -> web.Response:
        """Tell the id of a video's transcription."""
        video = self.videos.get(int(request.match_info["id"]), Video())
        return web.json_response({"transcription_job": video.transcription_job})

    async def script(self, request: web.Request) -> web.Response:
        """Say how the next calls are answered; an empty list ends all misbehaviour."""
        answers = [str(answer) for answer in await request.json()]
        for answer in answers:
            if not answer.isdigit():
                Misbehaviour(answer)
        self.answers = deque(answers)
        return web.json_response({})

    async def show_video(self, request: web.Request) -> web.Response:
        """Tell how far a video is."""
        video = self.videos.setdefault(int(request.match_info["id"]), Video())
        return web.json_response(
            {"encoding_in_progress": video.in_progress, "encoded": video.encoded, "get_encoding_step": video.step}
        )

    async def store_encoded(self, request: web.Request) -> web.Response:
        """Import an encoded video."""
        try:
            video_id, body = int(request.query["id"]), await request.json()
            missing = [name for name in REQUIRED_FIELDS if name not in body]
        except (KeyError, ValueError, TypeError) as error:
            return web.Response(
                status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The request is not understood: {error!r}"
            )
        if missing:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"Missing: {', '.join(missing)}")
        video = self.videos.setdefault(video_id, Video())
        if not video.in_progress:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="The video is not in progress.")
        try:
            request[IMPORTED] = imported = self._import(video_id, Path(str(body["video_path"])))
        except (OSError, ValueError, KeyError, AttributeError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The import failed: {error!r}")
        video.in_progress, video.encoded, video.step = False, bool(imported["files"]), "0 : end of encoding"
        if video.language and imported["sound"]:
            video.in_progress, video.step = True, "5 : transcripting audio"
            video.transcription_job = await asyncio.to_thread(
                request_transcription,
                self.broker_url,
                video_id,
                imported["sound"],
                imported["duration"],
                video.language,
            )
        return web.json_response({})

    async def store_transcribed(self, request: web.Request) -> web.Response:
        """Take over the captions of a video; the file goes."""
        try:
            video_id, body = int(request.query["id"]), await request.json()
            file = self.media_dir / "temp" / Path(str(body["temp_vtt_file"])).name
            text, message = file.read_text(encoding="utf-8"), str(body["msg"])
            captions = len(webvtt.from_string(text).captions)
            if captions:  # Pod makes no track of a file without any
                track = self.media_dir / TRACKS / f"{video_id:04d}.vtt"
                track.parent.mkdir(exist_ok=True)
                track.write_text(text, encoding="utf-8")
            file.unlink()
        except (KeyError, ValueError, TypeError, OSError, webvtt.errors.MalformedFileError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The captions cannot be read: {error!r}")
        request[IMPORTED] = {"captions": captions, "text": text, "msg": message}
        video = self.videos.setdefault(video_id, Video())
        video.in_progress, video.step = False, "0 : end of transcoding"
        return web.json_response({})

    def _import(self, video_id: int, video_path: Path) -> dict[str, Any]:
        """Read info_video.json as Pod does and look at every file it lists."""
        folder = self.media_dir / video_path.relative_to(self.media_root).parent / f"{video_id:04d}"
        info = json.loads((folder / "info_video.json").read_text(encoding="utf-8"))
        int(info["duration"])
        overview = info["list_overview_files"]
        if len(overview) == 1:
            raise ValueError("an overview picture without its text track")
        listed = {
            str(path)
            for name in ("mp4", "hls", "mp3", "m4a", "thumbnail", "overview")
            for path in info[f"list_{name}_files"].values()
        }
        missing = sorted(path for path in listed if not self._is_there(path))
        return {
            "duration": info["duration"],
            "files": sorted(listed),
            "missing": missing,
            "log": info["encoding_log"],
            "sound": next(iter(info["list_mp3_files"].values()), ""),
        }

    def _is_there(self, path: str) -> bool:
        try:
            return (self.media_dir / Path(path).relative_to(self.media_root)).is_file()
        except ValueError:
            return False

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token, misbehave when told to, keep the journal."""
        if not request.path.startswith("/rest/"):
            return await handler(request)
        planned = self.answers.popleft() if self.answers else ""
        response = await self._answer(request, handler, planned)
        self._write_journal(request, planned, response)
        if planned in {Misbehaviour.HANG, Misbehaviour.LATE}:
            await asyncio.sleep(HANG_S)
        if planned in {Misbehaviour.ABORT, Misbehaviour.LOST} and request.transport:
            request.transport.abort()
        return response

    async def _answer(self, request: web.Request, handler: Handler, planned: str) -> web.StreamResponse:
        await request.read()
        if planned.isdigit():
            return web.Response(status=int(planned), text="As told.")
        if planned in {Misbehaviour.HANG, Misbehaviour.ABORT}:
            return web.Response()
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Token {self.token}".encode()):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="No or wrong token.")
        return await handler(request)

    def _write_journal(self, request: web.Request, planned: str, response: web.StreamResponse) -> None:
        raw = request._read_bytes or b""  # noqa: SLF001 - what `read` kept; the handler has returned
        entry = {
            "time": time.time(),
            "method": request.method,
            "path": request.path_qs,
            "query": dict(request.query),
            "body": raw.decode("utf-8", "replace"),
            "status": response.status,
            "misbehaviour": planned,
            "imported": request.get(IMPORTED),
        }
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry, ensure_ascii=False) + "\n")


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--media-root", type=click.Path(path_type=Path), required=True, help="Pod's MEDIA_ROOT.")
@click.option("--media-dir", type=click.Path(path_type=Path), required=True, help="The same folder, as seen here.")
@click.option("--journal", type=click.Path(path_type=Path), required=True, help="Where calls are written down.")
def serve(port: int, media_root: Path, media_dir: Path, journal: Path) -> None:
    """Answer in Pod's place; token and broker come from the environment, by Pod's names."""
    broker_url = os.environ.get("ENCODING_TRANSCODING_CELERY_BROKER_URL", "")
    pod = StandInPod(os.environ["POD_API_TOKEN"], media_root, media_dir, journal, broker_url)
    web.run_app(pod.application(), host="127.0.0.1", port=port, print=None, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    serve(prog_name="python -m local.pod")
