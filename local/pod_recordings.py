"""The part of the stand-in for Pod that has the recordings of the studio: what the contract says Pod does with them.

    POST /rest/store_remote_encoded_video_studio/?recording_id=N   as Pod: moves the file to where it keeps videos, and
                                                                   requests its encoding
    GET  /control/recordings/N                                     what became of it
    DELETE /control/recordings/N                                   deletes it

Source: docs/contract-pod.md, studio.
"""

import asyncio
import json
import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from aiohttp import web

from podjobs.contract.errors import StepError
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.ports.storage import Storage

OWNER = "studio"
"""The folder of the user who has made the recordings."""


@dataclass
class Recording:
    """Pod's state of a recording."""

    comment: str = ""
    """Pod's log of it."""
    video_id: int = 0
    """Of the video that was made of it; 0: there is none."""
    video_path: str = ""
    """Where its file is now, as Pod sees it."""
    encoding_job: str = ""
    """Of that video."""
    mails: list[str] = field(default_factory=list)
    """What administrators were told of it."""


EncodeNewVideo = Callable[[str], Awaitable[tuple[int, str]]]
"""Makes a video of a file, by its path, and requests its encoding: the video's number, and the job's id."""


@dataclass
class Recordings:
    """Pod's recordings, and the views of them."""

    media: Storage
    paths: MediaPaths
    encode: EncodeNewVideo
    recordings: dict[int, Recording] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)

    def add_routes(self, app: web.Application) -> None:
        """Serve the views."""
        app.router.add_post("/rest/store_remote_encoded_video_studio/", self.store_composed)
        app.router.add_get("/control/recordings/{id:[0-9]+}", self.show)
        app.router.add_delete("/control/recordings/{id:[0-9]+}", self.delete)

    def find(self, recording_id: int) -> Recording:
        """Look a recording up. Raises HTTPNotFound, as Django REST framework words it, if it was deleted."""
        if recording_id in self.deleted:
            detail = json.dumps({"detail": "No Recording matches the given query."})
            raise web.HTTPNotFound(text=detail, content_type="application/json")
        return self.recordings.setdefault(recording_id, Recording())

    async def store_composed(self, request: web.Request) -> web.Response:
        """Take over what was made of a recording; if there is no file, tell the administrators."""
        recording = self.find(int(request.query.get("recording_id", 0)))
        try:
            body = await request.json()
            path, message = str(body["video_output"]), str(body["msg"])
            recording.comment += message
            taken = await asyncio.to_thread(self._take, path)
        except (ValueError, KeyError, TypeError, OSError, StepError) as error:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"The import failed: {error!r}")
        if taken:
            recording.video_path = self.paths.pod_path(taken)
            recording.video_id, recording.encoding_job = await self.encode(recording.video_path)
        else:
            recording.mails.append(f"Wrong file or path:\n{path}")
        return web.json_response("ok")

    def _take(self, path: str) -> Key | None:
        """Move a file to where videos are; None: there is none, or it is empty."""
        key = self.paths.key_of(path)
        if not self.media.exists(key) or not self.media.size_bytes(key):
            return None
        stem, suffix = posixpath.splitext(posixpath.basename(key))
        at = datetime.now(UTC).strftime("%Y-%m-%d_%H-%M-%S.%f")
        target = f"videos/{OWNER}/{stem}_{at}{suffix}"
        self.media.move(key, target)
        return target

    async def show(self, request: web.Request) -> web.Response:
        """Return what became of a recording."""
        return web.json_response(asdict(self.find(int(request.match_info["id"]))))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a recording."""
        self.deleted.add(int(request.match_info["id"]))
        return web.json_response({})
