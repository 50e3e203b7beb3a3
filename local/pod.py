"""A stand-in for Pod's REST interface: what the contract says Pod does.

    POST /rest/store_remote_encoded_video/?id=N       as Pod; then requests the transcription, if one is wanted
    POST /rest/store_remote_transcripted_video/?id=N  as Pod; the track is kept in the media root's folder `tracks`
    GET  /rest/videos/N/, /rest/renditions/           as Pod
    GET  /rest/launch_encode_view/?slug=S             as Pod; it knows the file since it imported the video
    POST /control/videos/N                            marks a video as being encoded, as Pod does when it sends it;
                                                      {"transcribe": LANGUAGE}: and to be transcribed afterwards
    GET  /control/videos/N                            the id of its transcription job
    DELETE /control/videos/N                          deletes the video

A video that was not announced counts as one being encoded. Recordings of the studio: local/pod_recordings.py.
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
from local.pod_recordings import Recordings
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import StepError
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.ports.storage import Storage
from podjobs.logs import configure_logs
from podjobs.rendition_settings import DEFAULT_RENDITIONS, VideoRenditions
from podjobs.settings import MediaSettings, load_settings

REQUIRED_FIELDS = ("start", "stop", "video_id", "video_path", "cut_start", "cut_end")
LISTS = tuple(f"list_{name}_files" for name in ("mp4", "hls", "mp3", "m4a", "thumbnail", "overview"))
"""Where info_video.json lists the files that were made."""
TRACKS = "tracks"
UPLOADED_CAPTIONS = "temp"
"""The media root's folder of files that are only for the next import."""
MEDIA_ERRORS = (OSError, StepError)
"""What opening and writing media may end with."""

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
    def info_path(self) -> str:
        """Where the list of its encoded files is, as Pod sees it."""
        return str(Path(self.path).parent / f"{self.id:04d}" / "info_video.json")


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
    media_root: str
    """Pod's MEDIA_ROOT: paths in callbacks begin with it."""
    media: Storage
    """What is there. A real Pod sees a folder, or a bucket that is mounted like one."""
    broker_url: str = ""
    """Where tasks go."""
    renditions: tuple[str, ...] = tuple(one.resolution for one in DEFAULT_RENDITIONS)
    """Resolutions of the renditions that it has."""
    videos: dict[int, Video] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    recordings: Recordings = field(init=False)
    _importing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def __post_init__(self) -> None:
        """Has the recordings of the same media."""
        self.recordings = Recordings(self.media, MediaPaths(self.media_root), self.encode_new)

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
        self.recordings.add_routes(app)
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

    async def encode_new(self, path: str) -> tuple[int, str]:
        """Make a video of a file and request its encoding, if a broker is known: the video's number, the job's id."""
        video = Video(max(self.videos, default=0) + 1, path=path)
        self.videos[video.id] = video
        if not self.broker_url:
            return video.id, ""
        return video.id, await asyncio.to_thread(request_encoding, self.broker_url, video.id, path)

    async def show_video(self, request: web.Request) -> web.Response:
        """Return the state of a video."""
        return self._show(self.find(int(request.match_info["id"])))

    def _show(self, video: Video) -> web.Response:
        name = self._key(video.path) if video.path else ""
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
            await asyncio.to_thread(self.media.delete, self._key(video.info_path))
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
        async with self._importing:
            video = self.find(video_id)
            if not video.in_progress:
                return web.Response(status=HTTPStatus.BAD_REQUEST, text="The video is not in progress.")
            video.path, video.cut = str(body["video_path"]), (body["cut_start"] or 0, body["cut_end"] or 0)
            video.step = IMPORTING
            try:
                imported = await asyncio.to_thread(self._import, video)
            except (*MEDIA_ERRORS, ValueError, KeyError, AttributeError) as error:
                return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The import failed: {error!r}")
            await self._finish_import(video, imported)
        return self._show(video)

    async def _finish_import(self, video: Video, imported: Imported) -> None:
        """Note what was imported, and request the transcription if one is wanted."""
        video.in_progress, video.encoded, video.duration_s = False, imported.has_files, imported.duration_s
        if video.language and imported.sound:
            video.in_progress = True
            video.transcription_job = await asyncio.to_thread(
                request_transcription, self.broker_url, video.id, imported.sound, imported.duration_s, video.language
            )
        video.step = ENCODED  # Pod says so even while the transcription runs

    async def store_transcribed(self, request: web.Request) -> web.Response:
        """Import the captions of a video, and delete the file."""
        video = self.find(int(request.query.get("id", 0)))
        try:
            body = await request.json()
            name, _message = Path(str(body["temp_vtt_file"])).name, body["msg"]
            await asyncio.to_thread(self._import_captions, video, f"{UPLOADED_CAPTIONS}/{name}")
        except (KeyError, ValueError, TypeError, *MEDIA_ERRORS, webvtt.errors.MalformedFileError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The captions cannot be read: {error!r}")
        video.in_progress, video.step = False, "0 : done"
        return web.json_response({})

    def _key(self, path: str) -> Key:
        """The key of a path as Pod sees it. Raises InvalidRequestError if it is outside the media root."""
        return MediaPaths(self.media_root).key_of(path)

    def _read(self, key: Key) -> str:
        with self.media.open(key) as file:
            return file.read().decode("utf-8")

    def _is_there(self, path: Any) -> bool:
        """Whether there is a file at a path as Pod sees it."""
        return self.media.exists(self._key(str(path)))

    def _import_captions(self, video: Video, key: Key) -> None:
        text = self._read(key)
        if webvtt.from_string(text).captions:  # Pod makes no track from a file without any
            self.media.write(track_key(video.id), text.encode())
        self.media.delete(key)

    def _import(self, video: Video) -> Imported:
        """Read info_video.json as Pod does."""
        info: dict[str, Any] = json.loads(self._read(self._key(video.info_path)))
        if missing := [name for name in ("encoding_log", "duration", *LISTS) if name not in info]:
            raise ValueError(f"info_video.json lacks {', '.join(missing)}")
        if len(info["list_overview_files"]) == 1:
            raise ValueError("an overview picture without its text track")
        for name in ("mp4", "hls"):
            for height, path in info[f"list_{name}_files"].items():
                if self._is_there(path) and sum(f"x{height}" in one for one in self.renditions) != 1:
                    raise ValueError(f"there is not one rendition x{height}")
        return Imported(
            duration_s=int(info["duration"]),
            has_files=any(self._is_there(path) for name in LISTS for path in info[name].values()),
            sound=next(iter(info["list_mp3_files"].values()), ""),
        )

    @web.middleware
    async def _check_token(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if request.path.startswith("/rest/") and not hmac.compare_digest(given, f"Token {self.token}".encode()):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="The token is missing or wrong.")
        return await handler(request)


def track_key(video_id: int) -> Key:
    """Where the captions of a video are kept."""
    return f"{TRACKS}/{video_id:04d}.vtt"


class StandInSettings(MediaSettings):
    """What the stand-in reads of the stack's settings."""

    pod_api_token: SecretStr
    encoding_transcoding_celery_broker_url: str = ""
    video_renditions: VideoRenditions = DEFAULT_RENDITIONS


@click.command()
@click.option("--port", type=int, required=True)
def serve(port: int) -> None:
    """Answer in Pod's place, with the media and the renditions that the stack makes."""
    configure_logs("pod", "WARNING")
    settings = load_settings(StandInSettings)
    token, broker_url = settings.pod_api_token.get_secret_value(), settings.encoding_transcoding_celery_broker_url
    renditions = tuple(one.resolution for one in settings.video_renditions)
    pod = StandInPod(token, settings.media_root, open_storage(settings), broker_url, renditions)
    web.run_app(pod.application(), host="127.0.0.1", port=port, print=None, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    serve(prog_name="python -m local.pod")
