"""How files of results are given: whole or in part, and what is noted of it."""

import mimetypes
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import structlog
from aiohttp import web

from adapter.door.runner.ranges import Part, UnsatisfiableError, choose_part, is_unchanged
from adapter.door.runner.results import ResultFile, Results
from podjobs.contract.errors import StepError

logger = structlog.get_logger(__name__)

_TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".vtt": "text/vtt", ".m4a": "audio/mp4"}
"""Where the system's table may have others."""


async def give_file(
    request: web.Request, results: Results, file: ResultFile, note: Callable[[], Awaitable[None]]
) -> web.StreamResponse:
    """Answer a request for a file.

    Args:
        request: GET or HEAD.
        results: where it is read.
        file: as `Results.find` returned it.
        note: called once its last byte was taken over.
    """
    headers = _headers(file)
    if is_unchanged(request.headers, file.etag):
        return web.Response(status=304, headers=headers)
    try:
        part = choose_part(request.headers, file.etag, file.size_bytes)
    except UnsatisfiableError:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{file.size_bytes}"})
    response = web.StreamResponse(status=206 if part else 200, headers=headers)
    if part:
        response.headers["Content-Range"] = f"bytes {part.first}-{part.last}/{file.size_bytes}"
    part = part or Part(0, file.size_bytes - 1)
    response.content_length = part.length
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    if await _send(request, response, results, file, part) and part.last == file.size_bytes - 1:
        await note()
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, results: Results, file: ResultFile, part: Part
) -> bool:
    """Send a part. False: it was not sent to its end, and the connection is closed, so that its client notices."""
    log, sent = logger.bind(file=file.key, of=part.length), 0
    async with aclosing(results.blocks(file, part.first, part.length)) as blocks:
        block = await anext(blocks, b"")  # a file that cannot be read is told in the answer
        await response.prepare(request)
        try:
            while block:
                await response.write(block)
                sent += len(block)
                block = await anext(blocks, b"")
            if sent == part.length:
                await response.write_eof()
                return True
            log.warning("A file has become shorter while it was read.", sent=sent)
        except ConnectionError:
            log.info("A client has not taken a file to its end.", sent=sent)
        except (StepError, OSError) as error:
            log.warning("A file could not be read to its end.", sent=sent, reason=str(error))
    if request.transport:  # nothing else may follow: it would be taken for a part of the file
        request.transport.abort()
    return False


def _headers(file: ResultFile) -> dict[str, str]:
    ending = f".{file.key.rpartition('.')[2]}"
    kind = _TYPES.get(ending) or mimetypes.guess_type(file.key)[0] or "application/octet-stream"
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": "attachment",
        "Content-Type": kind,
        "ETag": file.etag,
        "X-Content-Type-Options": "nosniff",
    }
