"""`python -m benchmarks.invoke_api --port N`: Lambda's Invoke API in front of the function that does nothing.

One process for all invocations, each in a thread of its own: what is measured is the way to the function and back, not
Lambda. Payloads are read and written as Lambda's runtime does.

Source: AWS, «Lambda API reference», Invoke.
"""

import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from benchmarks.noop_function import main
from support.invocations import HANDLER, new_context

CONNECTIONS = 1024
"""That may wait to be accepted."""


class _Server(ThreadingHTTPServer):
    request_queue_size = CONNECTIONS
    daemon_threads = True


class _Invocation(BaseHTTPRequestHandler):
    """Answers `POST /2015-03-31/functions/<name>/invocations`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body are sent together
    disable_nagle_algorithm = True
    handler = staticmethod(getattr(main, HANDLER))
    runtime = LambdaMarshaller()

    def do_GET(self) -> None:
        """Say that it is there."""
        self._answer(b"ok")

    def do_POST(self) -> None:
        """Perform an invocation."""
        request = self.rfile.read(int(self.headers["Content-Length"]))
        answer, _ = self.runtime.marshal_response(
            self.handler(self.runtime.unmarshal_request(request.decode()), new_context())
        )
        self._answer(answer.encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("X-Amz-Executed-Version", "$LATEST")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@click.command()
@click.option("--port", type=int, required=True)
def serve(port: int) -> None:
    """Listen until it is ended."""
    _Server(("127.0.0.1", port), _Invocation).serve_forever()


if __name__ == "__main__":
    serve()
