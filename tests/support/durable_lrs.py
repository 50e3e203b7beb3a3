"""A learning record store that can be killed: `python -m support.durable_lrs --port N --store FILE --latency-ms 20`.

What it answered 200 for is on disk, so that it can be killed at any moment. It answers as the specification says, see
lrs.py.

    POST /statements   a statement or a list of them
    GET  /             answers 200 as soon as it serves
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
from aiohttp import BasicAuth, web

from support.lrs import LOGIN, PASSWORD, receive

REQUEST_LIMIT_BYTES = 16 * 1024 * 1024
SCHEMA = """
CREATE TABLE IF NOT EXISTS statements (id TEXT PRIMARY KEY, content TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Statements in a file."""

    def __init__(self, file: Path) -> None:
        """Open or make the file."""
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        # the kernel keeps what a killed process wrote: only a power cut would need more
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.executescript(SCHEMA)

    def add(self, statements: list[dict[str, Any]]) -> tuple[HTTPStatus, list[str]]:
        """Add statements, all or none.

        Returns:
            The status of the answer, and the ids of those that are new.
        """
        rows = [(str(one["id"]).lower(), json.dumps(one, sort_keys=True)) for one in statements]
        with self._transaction() as database:
            marks = ",".join("?" * len(rows))
            found = database.execute(
                f"SELECT id, content FROM statements WHERE id IN ({marks})",  # noqa: S608 - question marks alone
                [name for name, _ in rows],
            )
            known = dict(found.fetchall())
            status, new = receive(rows, known)
            self._count(requests=1, conflicts=int(status == HTTPStatus.CONFLICT))
            if status < HTTPStatus.BAD_REQUEST:
                now = time.time()
                added = [(name, content, now) for name, content in rows if name not in known]
                database.executemany("INSERT INTO statements VALUES (?, ?, ?)", added)
                self._count(statements=len(added), repeated=len(known))
        return status, new

    def _count(self, **more: int) -> None:
        for name, value in more.items():
            self._database.execute(
                "INSERT INTO counts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                (name, value),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN")
        try:
            yield self._database
        finally:
            self._database.execute("COMMIT")


def read_counts(file: Path) -> dict[str, int]:
    """The numbers of a store, also while its server is down."""
    with closing(sqlite3.connect(file)) as database:
        return dict(database.execute("SELECT name, value FROM counts").fetchall())


def read_ids(file: Path) -> list[str]:
    """The ids of all statements, in no order."""
    with closing(sqlite3.connect(file)) as database:
        return [row[0] for row in database.execute("SELECT id FROM statements")]


def read_times(file: Path) -> tuple[float, float]:
    """When the first and the last statement came, seconds since the epoch."""
    with closing(sqlite3.connect(file)) as database:
        first, last = database.execute("SELECT MIN(at), MAX(at) FROM statements").fetchone()
        return float(first), float(last)


def application(store: Store, latency_s: float) -> web.Application:
    """The server.

    Args:
        store: where statements go.
        latency_s: time added to every answer.
    """

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(latency_s)
        if request.headers.get("Authorization") != BasicAuth(LOGIN, PASSWORD).encode():
            return web.Response(status=HTTPStatus.UNAUTHORIZED)
        content = json.loads(body)
        statements = content if isinstance(content, list) else [content]
        status, new = store.add(statements)
        return web.json_response(new) if status == HTTPStatus.OK else web.Response(status=status)

    async def ready(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application(client_max_size=REQUEST_LIMIT_BYTES)
    app.router.add_post("/statements", post)
    app.router.add_get("/", ready)
    return app


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--store", type=click.Path(path_type=Path), required=True)
@click.option("--latency-ms", type=float, default=0)
def serve(port: int, store: Path, latency_ms: float) -> None:
    """Serve until SIGTERM."""
    web.run_app(application(Store(store), latency_ms / 1000), host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    serve()
