"""The stack: configured, started, ready, stopped."""

import contextlib
import fcntl
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from local.configuration import Configuration, Ports
from local.processes import Supervisor
from local.programs import LIBRARY, REPOSITORY, journal, programs_of, redis_dir, supervisord_conf

PROBE_TIMEOUT_S = 2.0


class StackError(Exception):
    """The stack cannot run; the text says why and what to do."""


class Stack:
    """All programs on this machine."""

    def __init__(self, configuration: Configuration, write_log: Callable[[bytes], None]) -> None:
        """Prepare; nothing is started yet.

        Args:
            configuration: what to run; checked.
            write_log: receives every line the programs write.
        """
        self.configuration = configuration
        self._write_log = write_log
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Start all programs; `missing` tells when they are ready."""
        state_dir = self.configuration.state_dir
        redis_dir(self.configuration).mkdir(parents=True, exist_ok=True)
        if state_dir in self.configuration.media_dir.parents:
            self.configuration.media_dir.mkdir(parents=True, exist_ok=True)
        conf = state_dir / "supervisord.conf"
        conf.write_text(supervisord_conf(programs_of(self.configuration), as_root=os.geteuid() == 0), encoding="utf-8")
        self._describe(state_dir / "stack.json")
        environment = self.configuration.environment | {"PYTHONPATH": f"{REPOSITORY}:{LIBRARY}"}
        self._supervisor = Supervisor(conf, environment, self._write_log)
        self._supervisor.start()

    def _describe(self, file: Path) -> None:
        """Leave the addresses for the next start and for tests; nothing secret."""
        configuration = self.configuration
        facts = {
            "ports": asdict(configuration.ports),
            "own_redis": configuration.own_redis,
            "own_pod": configuration.own_pod,
            "media_root": configuration.environment["MEDIA_ROOT"],
            "media_dir": str(configuration.media_dir),
            "journal": str(journal(configuration)),
        }
        file.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def missing(self) -> tuple[str, ...]:
        """Name the parts that do not answer yet; none when the stack takes jobs."""
        ports = self.configuration.ports
        pages = {
            "the encoding function": f"http://127.0.0.1:{ports.encoding}/",
            "the notification function": f"http://127.0.0.1:{ports.notification}/",
            "the adapter": f"http://127.0.0.1:{ports.health}/readyz",
        }
        if self.configuration.transcribes:
            pages["the transcription function"] = f"http://127.0.0.1:{ports.transcription}/"
        if self.configuration.own_pod:
            pages["the stand-in for Pod"] = f"http://127.0.0.1:{ports.pod}/"
        return tuple(name for name, url in pages.items() if not _answers(url, any_status=name.endswith("Pod")))

    def look_after(self) -> None:
        """Keep the programs running; to be called now and then."""
        if self._supervisor and self._supervisor.look_after():
            self._write_log(b"supervisord had ended and was started again.\n")

    def stop(self) -> None:
        """Stop all programs; none is left when this returns."""
        if self._supervisor:
            self._supervisor.stop()
            self._supervisor = None

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the stack takes jobs.

        Raises:
            StackError: it does not in time.
        """
        deadline = time.monotonic() + timeout_s
        while missing := self.missing():
            if time.monotonic() > deadline:
                raise StackError(f"After {timeout_s:.0f} s there is still no answer from {', '.join(missing)}.")
            self.look_after()
            time.sleep(0.2)


def _answers(url: str, *, any_status: bool) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_S) as response:  # noqa: S310 - our own http address
            return bool(response.status == HTTPStatus.OK)
    except urllib.error.HTTPError:
        return any_status
    except OSError:
        return False


@contextlib.contextmanager
def hold_state(state_dir: Path) -> Iterator[None]:
    """Keep a second stack out of a state folder.

    Raises:
        StackError: another one runs there.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"The stack runs already with the folder {str(state_dir)!r}. "
                "Stop that one first, or choose another folder with --state."
            ) from None
        yield


def remembered_ports(state_dir: Path) -> Ports | None:
    """The ports of the last start, so that a Pod that was told the broker's address finds it again."""
    try:
        return Ports(**json.loads((state_dir / "stack.json").read_text(encoding="utf-8"))["ports"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
