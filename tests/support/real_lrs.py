"""A real learning record store: ralph, with its statements in a file."""

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from support.lrs import LOGIN, PASSWORD
from support.processes import REPOSITORY, Program, environment_with, free_port

BIN = REPOSITORY / ".venv-lrs" / "bin"
SERVER = Path(__file__).with_name("ralph_server.py")


class Ralph:
    """One server; its statements stay when it is killed."""

    def __init__(self, folder: Path, password: str = PASSWORD) -> None:
        subprocess.run([REPOSITORY / "scripts" / "setup", "--lrs"], check=True)
        statements = folder / "statements"
        statements.mkdir(parents=True)
        settings = {
            "PYTHONPATH": "",  # its packages are its own
            "RALPH_APP_DIR": str(folder),
            "RALPH_RUNSERVER_BACKEND": "fs",
            "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(statements),
        }
        account = ["-u", LOGIN, "-p", password, "-s", "all", "-N", "pod", "-M", "mailto:pod@example.org"]
        made = subprocess.run(
            [BIN / "ralph", "auth", *account],
            env=environment_with(settings),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        # its file is a list of what the command prints
        (folder / "auth.json").write_text(f"[{made[made.index('{') :]}]", encoding="utf-8")
        port = free_port()
        argv = [str(BIN / "python"), "-P", str(SERVER), str(port)]
        page = f"http://127.0.0.1:{port}/__heartbeat__"
        self.program = Program("ralph", argv, settings, folder / "ralph.log", page, folder)
        self.url = f"http://127.0.0.1:{port}/xAPI/statements"

    def start(self, *, appends: bool = True) -> "Ralph":
        """Start it. Without `appends` its file takes one request, and the next ones fail with 500."""
        self.program.settings["RALPH_TEST_APPENDS"] = str(int(appends))
        self.program.start()
        self.program.wait()
        return self

    def stop(self) -> None:
        """Kill it."""
        self.program.kill()

    def statements(self) -> list[dict[str, Any]]:
        """All statements, read back as any client of an LRS does."""
        found: list[dict[str, Any]] = []
        url = self.url
        while url:
            answer = httpx.get(url, auth=(LOGIN, PASSWORD), headers={"X-Experience-API-Version": "1.0.3"})
            page = answer.raise_for_status().json()
            found += page["statements"]
            url = urljoin(self.url, page["more"]) if page.get("more") and page["statements"] else ""
        return found
