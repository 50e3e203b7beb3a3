"""A local page that plays the result."""

import html
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import web

PLAYER = Path(__file__).with_name("player")
CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt; charset=utf-8",
    ".json": "application/json",
}


@dataclass(frozen=True)
class Captions:
    """A WebVTT file beside the media."""

    file: str
    language: str


def write_page(title: str, info: dict[str, Any], summary: str, captions: Captions | None = None) -> str:
    """Fill in the page.

    Args:
        title: name of the video.
        info: info_video.json of the result.
        summary: a line about the encoding.
        captions: the captions, if it was transcribed.

    Returns:
        HTML. Media are named relative to `media/`.
    """
    facts = {
        "hls": "livestream.m3u8" if info["list_hls_files"] else "",
        "mp4": _names(info["list_mp4_files"]),
        "audio": _names(info["list_mp3_files"]) + _names(info["list_m4a_files"]),
        "thumbnails": _names(info["list_thumbnail_files"]),
        "captions": {"file": captions.file, "language": captions.language} if captions else None,
        "overview": next((name for name in _names(info["list_overview_files"]) if name.endswith(".vtt")), ""),
    }
    template = Template((PLAYER / "index.html").read_text(encoding="utf-8"))
    # `<` could end the script element that holds the data
    data = json.dumps(facts).replace("<", "\\u003c")
    return template.substitute(title=html.escape(title), summary=html.escape(summary), facts=data)


def _names(files: dict[str, str]) -> list[str]:
    return [Path(path).name for path in files.values()]


def application(page: str, folder: Path) -> web.Application:
    """Create the web application: the page, the player, the media with byte ranges.

    Args:
        page: HTML of `write_page`.
        folder: where the result is.
    """
    # only these names are served: nothing outside the folder can be requested
    names = {path.name for path in folder.iterdir() if path.is_file()}

    async def show_page(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    async def show_media(request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        if name not in names:
            raise web.HTTPNotFound
        kind = CONTENT_TYPES.get(Path(name).suffix)
        return web.FileResponse(folder / name, headers={"Content-Type": kind} if kind else None)

    app = web.Application()
    app.router.add_get("/", show_page)
    app.router.add_get("/media/{name}", show_media)
    app.router.add_static("/player", PLAYER)
    return app


def listen() -> socket.socket:
    """Take a free port on this machine."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock
