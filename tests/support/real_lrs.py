"""A real learning record store: ralph, with its statements in a file."""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import httpx

from benchmarks.adapter_stack import free_port, serves, wait_for
from benchmarks.lrs import LOGIN, PASSWORD

REPOSITORY = Path(__file__).parents[2]
BIN = REPOSITORY / ".venv-lrs" / "bin"
SERVER = Path(__file__).with_name("ralph_server.py")
LIMIT_S = 60


class Ralph:
    """One server; its statements stay when it is killed."""

    def __init__(self, folder: Path, password: str = PASSWORD):
        subprocess.run([REPOSITORY / "scripts" / "setup", "--lrs"], check=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/xAPI/statements"
        self.process: subprocess.Popen | None = None
        (folder / "statements").mkdir(parents=True)
        self.environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
            "RALPH_APP_DIR": str(folder),
            "RALPH_RUNSERVER_BACKEND": "fs",
            "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(folder / "statements"),
        }
        argv = [
            BIN / "ralph",
            "auth",
            "-u",
            LOGIN,
            "-p",
            password,
            "-s",
            "all",
            "-N",
            "pod",
            "-M",
            "mailto:pod@example.org",
        ]
        made = subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=True).stdout
        # its file is a list of what the command prints
        (folder / "auth.json").write_text(f"[{made[made.index('{') :]}]")

    def start(self, *, appends: bool = True) -> "Ralph":
        """Start it. Without `appends` its file takes one request, and the next ones fail with 500."""
        with (self.folder / "ralph.log").open("ab") as log:
            self.process = subprocess.Popen(
                [BIN / "python", SERVER, str(self.port)],
                env=self.environment | {"RALPH_TEST_APPENDS": str(int(appends))},
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: serves(f"http://127.0.0.1:{self.port}/__heartbeat__"), LIMIT_S)
        return self

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def statements(self) -> list[dict]:
        """All statements, read back as any client of an LRS does."""
        found, url = [], self.url
        while url:
            answer = httpx.get(url, auth=(LOGIN, PASSWORD), headers={"X-Experience-API-Version": "1.0.3"})
            page = answer.raise_for_status().json()
            found += page["statements"]
            url = urljoin(self.url, page["more"]) if page.get("more") and page["statements"] else None
        return found

    def file(self) -> list[dict]:
        """The statements as they lie on its disk."""
        lines = (self.folder / "statements" / "fs_lrs.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]
