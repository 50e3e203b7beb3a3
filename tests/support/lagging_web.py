"""A web server that shows a folder late, as one that serves a mounted bucket: it shows it as of `catch_up`."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class LaggingWeb:
    """Serves the copy of a folder that was made last."""

    def __init__(self, source: Path, shown: Path) -> None:
        """Nothing is shown yet.

        Args:
            source: the folder.
            shown: for the copy.
        """
        self.source, self.shown = source, shown
        self.status = 0
        """What every request is answered with; 0: as it should be."""
        self.location = ""
        """Where to, with a redirect."""
        self.requests: list[tuple[str, str]] = []
        """Method and path."""
        self.headers: list[dict[str, str]] = []
        """Of the requests."""
        self.shown.mkdir()
        handler = type("Handler", (_Handler,), {"web": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/media"

    def catch_up(self) -> None:
        """Show what is in the folder now."""
        shutil.rmtree(self.shown)
        shutil.copytree(self.source, self.shown)


class _Handler(http.server.SimpleHTTPRequestHandler):
    web: LaggingWeb

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=str(self.web.shown))

    def do_GET(self) -> None:
        if self._is_as_it_should_be():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._is_as_it_should_be():
            super().do_HEAD()

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/media"))

    def _is_as_it_should_be(self) -> bool:
        self.web.requests.append((self.command, self.path))
        self.web.headers.append(dict(self.headers))
        if not self.web.status:
            return True
        self.send_response(self.web.status)
        if self.web.location:
            self.send_header("Location", self.web.location)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def lagging_web(source: Path, shown: Path) -> Iterator[LaggingWeb]:
    """Serve from a thread of this process; see LaggingWeb."""
    web = LaggingWeb(source, shown)
    threading.Thread(target=web.server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield web
    finally:
        web.server.shutdown()
        web.server.server_close()
