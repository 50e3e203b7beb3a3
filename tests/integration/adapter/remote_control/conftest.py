"""Celery's own client and command line, and functions that take a step and never answer."""

import http.server
import json
import socket
import subprocess
import sys
import threading
import warnings

import pytest
from celery import Celery

HOST = socket.gethostname()


@pytest.fixture
def silent_url():
    """A function that takes steps and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.fixture
def celery(redis_url):
    """Run the command line `celery` as an administrator does; with --json, returns what it printed as such."""

    def run(*arguments, broker=redis_url):
        argv = [sys.executable, "-m", "celery", f"--broker={broker}", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr

    return run


@pytest.fixture
def remote(redis_url):
    """Celery's own client in this process: faster, for it can end with the last reply."""
    with Celery("pod", broker=redis_url, backend=None) as app:

        def ask(command, replies=1, destination=None, timeout_s=3.0, **arguments):
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # that two nodes have the same name is a warning only
                given = app.control.inspect(destination=destination, timeout=timeout_s, limit=replies)
                return given._request(command, **arguments) or {}

        yield ask
        app.control.purge()


@pytest.fixture
def serve_status():
    """Serve a function that answers every step with one status."""
    servers = []

    def serve(status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield serve
    for server in servers:
        server.shutdown()
