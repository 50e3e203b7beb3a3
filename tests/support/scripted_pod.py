"""A Pod that answers by script, over real HTTP."""

import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

NO_ANSWER = 0
"""In place of a status: the connection closes."""


class ScriptedPod:
    """Answers by script: (status, body) for each method; remembers what it was asked."""

    def __init__(self) -> None:
        self.post_answers: list[tuple[int, str]] = [(HTTPStatus.OK, "OK")]
        """In turn; the last one for good."""
        self.state: Any = None
        """What Pod says about every video; None: that there is none."""
        self.next_states: list[Any] = []
        """What it becomes with each question, in turn."""
        self.pages: dict[str, tuple[int, str]] = {"/rest/renditions/": (HTTPStatus.OK, "[]")}
        """What other GETs answer, by path; the others: 404."""
        self.headers: dict[str, str] = {}
        self.lead_s = 0.0
        """By how much its clock is ahead."""
        self.hang_s = 0.0
        self.on_post: Callable[[], object] | None = None
        """Called when a call has come in, before it is answered."""
        self.requests: list[tuple[str, str, str | None, Any]] = []
        """Method, path, authorization, body."""
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"pod": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}/rest"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def methods(self) -> list[str]:
        return [request[0] for request in self.requests]

    def use_tls(self, certificate: Path, key: Path) -> None:
        """Serve over TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    pod: ScriptedPod

    def do_POST(self) -> None:
        pod = self.pod
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        pod.requests.append(("POST", self.path, self.headers["Authorization"], body))
        if pod.on_post:
            pod.on_post()
        status, text = pod.post_answers.pop(0) if len(pod.post_answers) > 1 else pod.post_answers[0]
        time.sleep(pod.hang_s)
        self.reply(status, text)

    def do_GET(self) -> None:
        self.pod.requests.append(("GET", self.path, self.headers["Authorization"], None))
        if self.path.startswith("/rest/videos/") and self.pod.next_states:
            self.pod.state = self.pod.next_states.pop(0)
        if self.path in self.pod.pages:
            self.reply(*self.pod.pages[self.path])
        elif not self.path.startswith("/rest/videos/"):
            self.reply(HTTPStatus.NOT_FOUND, "<h1>Not found</h1>")
        elif self.pod.state is None:
            self.reply(HTTPStatus.NOT_FOUND, '{"detail": "Pas trouv\u00e9."}')
        else:
            self.reply(HTTPStatus.OK, json.dumps(self.pod.state))

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((time.time() if timestamp is None else timestamp) + self.pod.lead_s)

    def reply(self, status: int, text: str) -> None:
        if status == NO_ANSWER:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in self.pod.headers.items():
            self.send_header(name, value)
        content = text.encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
