"""What answers in place of AWS Lambda's Invoke API: as the test says, in the form that AWS documents."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REQUEST_ID = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Scripted:
    """One answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    hangs: threading.Event | None = None
    """Waited for before it is given."""
    is_cut: bool = False
    """The connection ends in the middle of the body."""


def refusal(status: int, code: str, headers: Mapping[str, str] | None = None, **more: Any) -> Scripted:
    """An error of Lambda's own, with more members of its body."""
    body = {"Type": "User", "Message": "No.", **more}
    return Scripted(status, {"x-amzn-ErrorType": code, **(headers or {})}, json.dumps(body).encode())


def death(kind: str, message: str, log: str = "") -> Scripted:
    """A function that has died of its request."""
    headers = {"X-Amz-Function-Error": "Unhandled", "X-Amz-Log-Result": base64.b64encode(log.encode()).decode()}
    body = {"errorType": kind, "errorMessage": message, "stackTrace": []}
    return Scripted(200, headers, json.dumps(body).encode())


class LambdaApi(ThreadingHTTPServer):
    """Answers invocations one after the other."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Scripted] = []
        """The next ones; the last is given again and again."""
        self.requests: list[tuple[str, Mapping[str, str], bytes]] = []
        """Path, headers and body of each."""

    @property
    def url(self) -> str:
        """For AWS_ENDPOINT_URL_LAMBDA."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LambdaApi

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.hangs:
            answer.hangs.wait(30)
        self.send_response(answer.status)
        for name, value in {"x-amzn-RequestId": REQUEST_ID, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + (10 if answer.is_cut else 0)))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.is_cut:
            self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def lambda_api() -> Iterator[LambdaApi]:
    """Run it."""
    api = LambdaApi()
    threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield api
    finally:
        api.shutdown()
        api.server_close()
