"""A proxy before an S3 server: it takes its time, counts what passes, and lets things go wrong.

The client is configured with the proxy's address as that of the server. Requests pass as they were sent, their `Host`
included, so that their signatures hold; bodies are streamed both ways.

    with serving_proxy(S3Proxy(server.endpoint, faults=faults)) as proxy:
        … PODJOBS_S3_ENDPOINT=proxy.url …
        proxy.tallies["chunk-0001"].requests["get"]

`python -m support.s3_proxy --upstream URL` serves it from a process of its own, whose processor time is not that of
whoever is measured (`ProxyProcess`).
"""

import argparse
import asyncio
import json
import re
import sys
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web
from yarl import URL

from support.processes import Program, free_port
from support.s3_faults import Fault, Faults, Moment, PlannedFaults
from support.s3_requests import Asked, Tally
from support.serving import serving

BLOCK_BYTES = 1 << 17
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "expect", "te", "upgrade", "trailer"})
"""Headers that concern one connection only. Source: RFC 9110, section 7.6.1; `Expect` is answered here."""
CONTROL = "_proxy"
"""Below this path the proxy itself is asked; no bucket has such a name."""
SIGNATURE = re.compile(r"Signature=([0-9a-f]{64})")


class S3Proxy:
    """Passes requests on."""

    def __init__(self, upstream: str, *, latency_s: float = 0.0, faults: Faults | None = None) -> None:
        """Prepare; `serving_proxy` serves it.

        Args:
            upstream: URL of the server.
            latency_s: how much later each request arrives there.
            faults: what goes wrong.
        """
        self.url = ""
        """Its own; set once it is served."""
        self.upstream = upstream
        self.latency_s = latency_s
        self.faults: Faults = faults or PlannedFaults()
        self.label = ""
        """What is being done; requests are counted under it."""
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self.signatures: set[str] = set()
        """Of all requests: no file may contain one."""
        self.keys_asked: list[Asked] = []
        """All requests in their order."""
        self._session: aiohttp.ClientSession | None = None

    @property
    def total(self) -> Tally:
        """All that has passed."""
        return sum(self.tallies.values(), Tally())

    def application(self) -> web.Application:
        """What is served."""
        application = web.Application()
        application.cleanup_ctx.append(self._open)
        application.router.add_get(f"/{CONTROL}/tallies", self._tell)
        application.router.add_put(f"/{CONTROL}/label/{{label:.*}}", self._relabel)
        application.router.add_route("*", "/{target:.*}", self._handle)
        return application

    async def _open(self, _: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
            self._session = session
            yield

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response({label: tally.as_json() for label, tally in self.tallies.items()})

    async def _relabel(self, request: web.Request) -> web.Response:
        self.label = request.match_info["label"]
        return web.Response()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked.of(request.method, request.raw_path, request.headers)
        tally = self.tallies[self.label]
        tally.requests[asked.kind] += 1
        self.keys_asked.append(asked)
        self.signatures.update(SIGNATURE.findall(request.headers.get("Authorization", "") + request.query_string))
        fault = self.faults.next(asked)
        await asyncio.sleep(self.latency_s)
        if fault and fault.moment in {Moment.BEFORE, Moment.IN_UPLOAD}:
            return await self._fail(request, fault, tally)
        try:
            return await self._relay(request, fault, tally)
        except aiohttp.ClientError:
            return _cut(request)  # the server is down, or went away

    async def _fail(self, request: web.Request, fault: Fault, tally: Tally) -> web.StreamResponse:
        """Answer in the server's place, or cut the connection."""
        length = request.content_length or 0
        wanted = length // 2 if fault.moment is Moment.IN_UPLOAD else length if fault.status else 0
        while wanted > 0 and (block := await request.content.read(min(wanted, BLOCK_BYTES))):
            wanted -= len(block)
            tally.uploaded_bytes += len(block)
        await asyncio.sleep(fault.stall_s)
        if not fault.status:
            return _cut(request)
        body = b"" if request.method == "HEAD" else fault.body
        response = web.Response(status=fault.status, body=body, content_type="application/xml")
        if fault.moment is Moment.IN_UPLOAD:
            response.force_close()
        return response

    async def _relay(self, request: web.Request, fault: Fault | None, tally: Tally) -> web.StreamResponse:
        assert self._session
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        async with self._session.request(
            request.method,
            URL(self.upstream + request.raw_path, encoded=True),
            headers=headers,
            data=_counted(request, tally) if request.can_read_body else None,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            allow_redirects=False,
        ) as answer:
            if fault and fault.moment is Moment.AFTER:
                await answer.read()
                await asyncio.sleep(fault.stall_s)
                return _cut(request)
            return await _pass_back(request, answer, fault, tally)


async def _counted(request: web.Request, tally: Tally) -> AsyncIterator[bytes]:
    async for block in request.content.iter_any():
        tally.uploaded_bytes += len(block)
        yield block


async def _pass_back(
    request: web.Request, answer: aiohttp.ClientResponse, fault: Fault | None, tally: Tally
) -> web.StreamResponse:
    """Pass an answer on, all of it or half."""
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if name.lower() not in HOP_BY_HOP:
            response.headers.add(name, value)
    await response.prepare(request)
    left = (answer.content_length or 0) // 2 if fault else None
    try:
        async for block in answer.content.iter_any():
            sent = block if left is None else block[:left]
            await response.write(sent)
            tally.downloaded_bytes += len(sent)
            if left is not None:
                left -= len(sent)
                if not left:
                    break
    except ConnectionError:
        return response  # the client has enough
    if fault:
        await asyncio.sleep(fault.stall_s)
        return _cut(request)
    await response.write_eof()
    return response


def _cut(request: web.Request) -> web.Response:
    """Close the connection in place of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@contextmanager
def serving_proxy(proxy: S3Proxy) -> Iterator[S3Proxy]:
    """Serve a proxy from a thread of this process, on a free port of this machine."""
    with serving(proxy.application()) as proxy.url:
        yield proxy


class ProxyProcess:
    """A proxy in a process of its own."""

    def __init__(self, upstream: str, latency_s: float, log: Path) -> None:
        """Prepare; `start` starts it.

        Args:
            upstream: URL of the server.
            latency_s: how much later each request arrives there.
            log: where it writes what it has to say.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "support.s3_proxy", "--upstream", upstream, "--port", str(port)]
        argv += ["--latency-ms", str(latency_s * 1000)]
        self.program = Program("s3 proxy", argv, {}, log, page=f"{self.url}/{CONTROL}/tallies")

    def label(self, label: str) -> None:
        """Say what is being done from now on."""
        self._ask(f"label/{quote(label)}", "PUT")

    def tallies(self) -> dict[str, Tally]:
        """What has passed, by label."""
        return {label: Tally.of_json(value) for label, value in json.loads(self._ask("tallies")).items()}

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"{self.url}/{CONTROL}/{path}", method=method)  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return bytes(response.read())


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    proxy = S3Proxy(options.upstream, latency_s=options.latency_ms / 1000)
    web.run_app(proxy.application(), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    _main()
