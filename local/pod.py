"""A stand-in for Pod's REST interface: what the contract says Pod does.

    POST /rest/store_remote_encoded_video/?id=N       as Pod; then requests the transcription, if one is wanted
    POST /rest/store_remote_transcripted_video/?id=N  as Pod; the track is kept in the media root's folder `tracks`
    GET  /rest/videos/N/, /rest/renditions/           as Pod
    GET  /rest/launch_encode_view/?slug=S             as Pod; it knows the file since it imported the video
    POST /control/videos/N                            marks a video as being encoded, as Pod does when it sends it;
                                                      {"transcribe": LANGUAGE}: and to be transcribed afterwards
    GET  /control/videos/N                            the id of its transcription job
    DELETE /control/videos/N                          deletes the video

A video that was not announced counts as one being encoded.
Source: docs/contract-pod.md, callbacks.
"""

import asyncio
import hmac
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
import webvtt
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import SecretStr

from local.client import request_encoding, request_transcription
from podjobs.rendition_settings import DEFAULT_RENDITIONS, VideoRenditions
from podjobs.settings import PodSettings, load_settings

REQUIRED_FIELDS = ("start", "stop", "video_id", "video_path", "cut_start", "cut_end")
LISTS = tuple(f"list_{name}_files" for name in ("mp4", "hls", "mp3", "m4a", "thumbnail", "overview"))
"""Where info_video.json lists the files that were made."""
TRACKS = "tracks"


WAITING, IMPORTING, ENCODED = "2 : start remote encoding", "3 : store encoding info", "0 : end of encoding"
"""Pod's words for where a video is."""


@dataclass
class Video:
    """Pod's state of a video."""

    id: int
    in_progress: bool = True
    encoded: bool = False
    step: str = WAITING
    duration_s: int = 0
    path: str = ""
    """Of the uploaded file, as Pod sees it; empty: not known yet."""
    cut: tuple[float, float] = (0, 0)
    """Start and end in seconds; 0, 0: all of it."""
    language: str = ""
    """The language to transcribe it in once it is encoded; empty: not at all."""
    transcription_job: str = ""

    @property
    def slug(self) -> str:
        """Its name in URLs."""
        return f"{self.id:04d}-video"

    @property
    def folder(self) -> Path:
        """Where its encoded files are, as Pod sees it."""
        return Path(self.path).parent / f"{self.id:04d}"


@dataclass(frozen=True)
class Imported:
    """What was found in info_video.json."""

    duration_s: int
    has_files: bool
    """Whether any of the files that it lists is there: Pod skips the others."""
    sound: str
    """Path of the MP3; empty: there is none."""


@dataclass
class StandInPod:
    """Pod's memory, and its REST views."""

    token: str
    media_root: Path
    """Pod's MEDIA_ROOT: paths in callbacks begin with it."""
    media_dir: Path
    """The same folder as this process sees it."""
    broker_url: str = ""
    """Where tasks go."""
    renditions: tuple[str, ...] = tuple(one.resolution for one in DEFAULT_RENDITIONS)
    """Resolutions of the renditions that it has."""
    videos: dict[int, Video] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)

    def application(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[self._check_token])
        app.router.add_post("/rest/store_remote_encoded_video/", self.store_encoded)
        app.router.add_post("/rest/store_remote_transcripted_video/", self.store_transcribed)
        app.router.add_get("/rest/videos/{id:[0-9]+}/", self.show_video)
        app.router.add_get("/rest/renditions/", self.list_renditions)
        app.router.add_get("/rest/launch_encode_view/", self.launch_encode)
        app.router.add_post("/control/videos/{id:[0-9]+}", self.announce)
        app.router.add_get("/control/videos/{id:[0-9]+}", self.show_transcription)
        app.router.add_delete("/control/videos/{id:[0-9]+}", self.delete)
        return app

    async def announce(self, request: web.Request) -> web.Response:
        """Mark a video as being encoded."""
        wanted = await request.json() if request.can_read_body else {}
        video = Video(int(request.match_info["id"]), language=str(wanted.get("transcribe", "")))
        self.videos[video.id] = video
        return web.json_response({})

    async def show_transcription(self, request: web.Request) -> web.Response:
        """Return the id of a video's transcription job."""
        video = self.videos.get(int(request.match_info["id"]))
        return web.json_response({"transcription_job": video.transcription_job if video else ""})

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a video."""
        self.deleted.add(int(request.match_info["id"]))
        return web.json_response({})

    def find(self, video_id: int) -> Video:
        """Look a video up. Raises HTTPNotFound, as Django REST framework words it, if it was deleted."""
        if video_id in self.deleted:
            detail = json.dumps({"detail": "No Video matches the given query."})
            raise web.HTTPNotFound(text=detail, content_type="application/json")
        return self.videos.setdefault(video_id, Video(video_id))

    async def show_video(self, request: web.Request) -> web.Response:
        """Return the state of a video."""
        return self._show(self.find(int(request.match_info["id"])))

    def _show(self, video: Video) -> web.Response:
        name = Path(video.path).relative_to(self.media_root) if video.path else ""
        facts = {"id": video.id, "slug": video.slug, "duration": video.duration_s}
        facts |= {"video": f"http://pod.example.org/media/{name}" if name else None}
        facts |= {"encoding_in_progress": video.in_progress, "encoded": video.encoded, "get_encoding_step": video.step}
        return web.json_response(facts)

    async def launch_encode(self, request: web.Request) -> web.Response:
        """Encode a video again, unless it is in progress."""
        slug = request.query.get("slug", "")
        video = self.find(int(slug.partition("-")[0] or 0))
        if not video.in_progress and video.path:
            video.in_progress, video.encoded, video.step = True, False, WAITING
            (self._here(video.folder) / "info_video.json").unlink(missing_ok=True)
            await asyncio.to_thread(request_encoding, self.broker_url, video.id, video.path, video.cut)
        return self._show(video)

    async def list_renditions(self, _request: web.Request) -> web.Response:
        """Return the renditions that Pod knows."""
        return web.json_response([{"resolution": resolution} for resolution in self.renditions])

    async def store_encoded(self, request: web.Request) -> web.Response:
        """Import an encoded video."""
        try:
            video_id, body = int(request.query["id"]), await request.json()
            missing = [name for name in REQUIRED_FIELDS if name not in body]
        except (KeyError, ValueError, TypeError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The request cannot be read: {error!r}")
        if missing:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"Missing: {', '.join(missing)}")
        video = self.find(video_id)
        if not video.in_progress:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="The video is not in progress.")
        video.path, video.cut = str(body["video_path"]), (body["cut_start"] or 0, body["cut_end"] or 0)
        video.step = IMPORTING
        try:
            imported = self._import(video)
        except (OSError, ValueError, KeyError, AttributeError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The import failed: {error!r}")
        video.in_progress, video.encoded, video.duration_s = False, imported.has_files, imported.duration_s
        if video.language and imported.sound:
            video.in_progress = True
            video.transcription_job = await asyncio.to_thread(
                request_transcription, self.broker_url, video_id, imported.sound, imported.duration_s, video.language
            )
        video.step = ENCODED  # Pod says so even while the transcription runs
        return self._show(video)

    async def store_transcribed(self, request: web.Request) -> web.Response:
        """Import the captions of a video, and delete the file."""
        video = self.find(int(request.query.get("id", 0)))
        try:
            body = await request.json()
            name, _message = body["temp_vtt_file"], body["msg"]
            file = self.media_dir / "temp" / Path(str(name)).name
            text = file.read_text(encoding="utf-8")
            if webvtt.from_string(text).captions:  # Pod makes no track from a file without any
                track = self.media_dir / TRACKS / f"{video.id:04d}.vtt"
                track.parent.mkdir(exist_ok=True)
                track.write_text(text, encoding="utf-8")
            file.unlink()
        except (KeyError, ValueError, TypeError, OSError, webvtt.errors.MalformedFileError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The captions cannot be read: {error!r}")
        video.in_progress, video.step = False, "0 : done"
        return web.json_response({})

    def _here(self, path: str | Path) -> Path:
        """A path as this process sees it."""
        return self.media_dir / Path(path).relative_to(self.media_root)

    def _import(self, video: Video) -> Imported:
        """Read info_video.json as Pod does."""
        file = self._here(video.folder) / "info_video.json"
        info: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if missing := [name for name in ("encoding_log", "duration", *LISTS) if name not in info]:
            raise ValueError(f"info_video.json lacks {', '.join(missing)}")
        if len(info["list_overview_files"]) == 1:
            raise ValueError("an overview picture without its text track")
        for name in ("mp4", "hls"):
            for height, path in info[f"list_{name}_files"].items():
                if self._here(str(path)).is_file() and sum(f"x{height}" in one for one in self.renditions) != 1:
                    raise ValueError(f"there is not one rendition x{height}")
        return Imported(
            duration_s=int(info["duration"]),
            has_files=any(self._here(str(path)).is_file() for name in LISTS for path in info[name].values()),
            sound=next(iter(info["list_mp3_files"].values()), ""),
        )

    @web.middleware
    async def _check_token(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if request.path.startswith("/rest/") and not hmac.compare_digest(given, f"Token {self.token}".encode()):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="The token is missing or wrong.")
        return await handler(request)


class StandInSettings(PodSettings):
    """What the stand-in reads of the stack's settings."""

    pod_api_token: SecretStr
    encoding_transcoding_celery_broker_url: str = ""
    video_renditions: VideoRenditions = DEFAULT_RENDITIONS


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--media-root", type=click.Path(path_type=Path), required=True, help="Pod's MEDIA_ROOT.")
@click.option("--media-dir", type=click.Path(path_type=Path), required=True, help="The same folder, as seen here.")
def serve(port: int, media_root: Path, media_dir: Path) -> None:
    """Answer in Pod's place, with the renditions that the stack makes."""
    settings = load_settings(StandInSettings)
    token, broker_url = settings.pod_api_token.get_secret_value(), settings.encoding_transcoding_celery_broker_url
    renditions = tuple(one.resolution for one in settings.video_renditions)
    pod = StandInPod(token, media_root, media_dir, broker_url, renditions)
    web.run_app(pod.application(), host="127.0.0.1", port=port, print=None, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    serve(prog_name="python -m local.pod")
