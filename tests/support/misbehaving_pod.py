"""A Pod with the faults that a real one shows on bad days, which remembers every call.

It is the stand-in of scripts/up (local/pod.py), with something before it that answers in its place when a test says so.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

import webvtt
from aiohttp import web
from aiohttp.typedefs import Handler

from local.pod import LISTS, StandInPod, Video
from local.pod_recordings import Recording
from podjobs.backends.files import FileStorage
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.ports.storage import Storage
from support.serving import serving

TOKEN = "5up3rt0ken"  # noqa: S105 - of this Pod alone
ENCODED = "/rest/store_remote_encoded_video/"
TRANSCRIBED = "/rest/store_remote_transcripted_video/"
COMPOSED = "/rest/store_remote_encoded_video_studio/"
HANG_S = 3600
RENDITIONS = ("320x180", "640x360", "1280x720", "1920x1080")


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


@dataclass(frozen=True)
class Imported:
    """What a call that was done has brought."""

    missing: tuple[str, ...] = ()
    """Files that info_video.json names and that are not there."""
    text: str = ""
    """The captions, as a WebVTT."""

    @property
    def captions(self) -> int:
        """How many there are."""
        return len(webvtt.from_string(self.text).captions)


@dataclass(frozen=True)
class Call:
    """A call that came in, and what was answered, also where the answer did not arrive."""

    method: str
    path: str
    video_id: int
    """Or a recording's number."""
    body: Any
    status: int
    misbehaviour: str
    imported: Imported | None
    """None: nothing was done."""


class MisbehavingPod:
    """Pod with its media folder."""

    def __init__(self, media_dir: Path, media: Storage | None = None) -> None:
        """Nothing is served yet, see `running_pod`.

        Args:
            media_dir: its media root.
            media: what is there; None: the folder is really there.
        """
        self.media_dir = media_dir
        self.url = ""
        self.calls: list[Call] = []
        # like Pod, it follows whatever link an administrator has made
        self._media = media or FileStorage(media_dir, str(media_dir), links=("/",))
        self._paths = MediaPaths(str(media_dir))
        self._pod = StandInPod(TOKEN, str(media_dir), self._media, renditions=RENDITIONS)
        self._answers: deque[str] = deque()

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a stack that works for this Pod."""
        return {"POD_API_URL": self.url, "POD_API_TOKEN": TOKEN, "MEDIA_ROOT": str(self.media_dir)}

    def answer_next(self, *answers: str) -> None:
        """Say how the next calls are answered: statuses, or kinds of Misbehaviour; none: all is well again."""
        for answer in answers:
            if not answer.isdigit():
                Misbehaviour(answer)
        self._answers = deque(answers)

    def delete(self, video_id: int) -> None:
        """Delete a video."""
        self._pod.deleted.add(video_id)

    def move(self, video_id: int, path: str) -> None:
        """Give a video to another owner, in whose folder its file is from now on."""
        self._pod.find(video_id).path = path

    def import_another(self, video_id: int, path: str, broker_url: str) -> None:
        """Import another result of a video, as when two encodes of it were requested.

        Args:
            video_id: the video.
            path: of its file.
            broker_url: where Pod requests an encode if it is asked to.
        """
        self._pod.broker_url = broker_url
        self._pod.videos[video_id] = Video(video_id, in_progress=False, encoded=True, duration_s=1, path=path)

    def request_encodings_on(self, broker_url: str) -> None:
        """Request encodings of what was made of recordings there."""
        self._pod.broker_url = broker_url

    def recording(self, recording_id: int) -> Recording:
        """What became of a recording."""
        return self._pod.recordings.find(recording_id)

    def calls_about(self, video_id: int, path: str = ENCODED) -> list[Call]:
        """The calls about a video, or, with COMPOSED, about a recording."""
        return [call for call in self.calls if call.path == path and call.video_id == video_id]

    def application(self) -> web.Application:
        """The web application."""
        application = self._pod.application()
        application.middlewares.insert(0, self._misbehave)
        return application

    @web.middleware
    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/rest/"):
            return await handler(request)
        planned = self._answers.popleft() if self._answers else ""
        raw, imported = await request.read(), None
        if planned.isdigit():
            response: web.StreamResponse = web.Response(status=int(planned), text="As the test says.")
        elif planned in {Misbehaviour.HANG, Misbehaviour.ABORT}:
            response = web.Response()
        else:
            text = self._captions(request.path, raw) if request.method == "POST" else ""
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                response = web.Response(status=refusal.status, text=refusal.text, content_type=refusal.content_type)
            if response.status == HTTPStatus.OK and request.method == "POST":
                imported = Imported(await asyncio.to_thread(self._missing, request.path, raw), text)
        self._remember(request, raw, response.status, planned, imported)
        if planned in {Misbehaviour.HANG, Misbehaviour.LATE}:
            await asyncio.sleep(HANG_S)
        if planned in {Misbehaviour.ABORT, Misbehaviour.LOST} and request.transport:
            request.transport.abort()
        return response

    def _remember(
        self, request: web.Request, raw: bytes, status: int, misbehaviour: str, imported: Imported | None
    ) -> None:
        query = request.query
        video_id = int(query.get("id") or query.get("recording_id") or request.match_info.get("id") or 0)
        body = json.loads(raw) if raw else None
        self.calls.append(Call(request.method, request.path, video_id, body, status, misbehaviour, imported))

    def _captions(self, path: str, raw: bytes) -> str:
        """Read the captions before the call is done: the file goes with it."""
        if path != TRANSCRIBED:
            return ""
        key = f"temp/{Path(json.loads(raw)['temp_vtt_file']).name}"
        return self._read(key) if self._media.exists(key) else ""

    def _missing(self, path: str, raw: bytes) -> tuple[str, ...]:
        if path != ENCODED:
            return ()
        call = json.loads(raw)
        folder = Path(call["video_path"]).parent / f"{call['video_id']:04d}"
        info = json.loads(self._read(self._paths.key_of(str(folder / "info_video.json"))))
        listed = {str(file) for name in LISTS for file in info[name].values()}
        return tuple(sorted(file for file in listed if not self._media.exists(self._paths.key_of(file))))

    def _read(self, key: Key) -> str:
        with self._media.open(key) as file:
            return file.read().decode("utf-8")


@contextmanager
def running_pod(media_dir: Path, media: Storage | None = None) -> Iterator[MisbehavingPod]:
    """Serve a Pod from this process.

    Args:
        media_dir: its media root; made if need be.
        media: what is there; None: the folder is really there.
    """
    if media is None:
        media_dir.mkdir(parents=True, exist_ok=True)
    pod = MisbehavingPod(media_dir, media)
    with serving(pod.application()) as address:
        pod.url = f"{address}/rest"
        yield pod
