"""A learning record store that answers by script, as a real one does on bad days."""

import http.server
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from support.lrs import receive

Statement = dict[str, Any]
HANG_S = 60


@dataclass
class Asked:
    """A request that came in."""

    statements: list[Statement]
    headers: dict[str, str]
    connection: int
    """Distinguishes connections."""
    at: float


@dataclass(frozen=True)
class Answer:
    """An answer to give."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class FaultLrs:
    """Listens on 127.0.0.1; `answers` lists what comes next; after them it does what the specification says.

    An answer is an Answer, a status, or one of
        hang      no answer
        close     the connection closes in the middle of the answer, when the statements are stored
        drop      the connection closes without an answer
        garbage   what comes is not HTTP
        trickle   the answer comes a byte at a time, without end
        html      a page with status 200, as a proxy before the LRS shows it
    `judge` is asked first: it may answer for the statements it is shown, or return None.
    """

    def __init__(self) -> None:
        self.answers: list[Answer | int | str] = []
        self.judge: Callable[[list[Statement]], Answer | int | str | None] = lambda _: None
        self.stored: dict[str, Statement] = {}
        self.asked: list[Asked] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"lrs": self}))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/xAPI/statements"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def sizes(self) -> list[int]:
        """How many statements each request had."""
        return [len(asked.statements) for asked in self.asked]

    def next_answer(self, statements: list[Statement]) -> Answer | int | str:
        with self._lock:
            judged = self.judge(statements)
            if judged is not None:
                return judged
            return self.answers.pop(0) if self.answers else self.store(statements)

    def store(self, statements: list[Statement]) -> Answer:
        """Do as the specification says."""
        offered = [(str(one["id"]).lower(), one) for one in statements]
        status, new = receive(offered, self.stored)
        if status < HTTPStatus.BAD_REQUEST:
            self.stored |= dict(offered)
        return Answer(status, json.dumps(new) if status == HTTPStatus.OK else "")

    def hang(self, timeout_s: float) -> bool:
        """Wait; returns whether the server is being closed."""
        return self._closing.wait(timeout_s)


class _Handler(http.server.BaseHTTPRequestHandler):
    lrs: FaultLrs
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    """Headers and body are written one after the other: the body would wait 40 ms for the client's kernel."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        statements = body if isinstance(body, list) else [body]
        self.lrs.asked.append(Asked(statements, dict(self.headers), self.client_address[1], time.monotonic()))
        answer = self.lrs.next_answer(statements)
        getattr(self, f"do_{answer}")(statements) if isinstance(answer, str) else self.reply(answer)

    def reply(self, answer: Answer | int) -> None:
        answer = Answer(answer, "As the test says.") if isinstance(answer, int) else answer
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_hang(self, _statements: list[Statement]) -> None:
        self.lrs.hang(HANG_S)
        self.close_connection = True

    def do_close(self, statements: list[Statement]) -> None:
        self.lrs.store(statements)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[")
        self.close_connection = True

    def do_drop(self, _statements: list[Statement]) -> None:
        self.close_connection = True

    def do_garbage(self, _statements: list[Statement]) -> None:
        self.wfile.write(b"\x00\xff\x13SSH-2.0-nothing\r\n\r\n")
        self.close_connection = True

    def do_trickle(self, _statements: list[Statement]) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not self.lrs.hang(0.1):
            try:
                self.wfile.write(b" ")
            except OSError:
                break
        self.close_connection = True

    def do_html(self, _statements: list[Statement]) -> None:
        self.reply(Answer(200, "<html>Please log in.</html>", {"Content-Type": "text/html"}))

    def log_message(self, *_: Any) -> None:
        pass
