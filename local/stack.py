"""The stack: configured, started, ready, stopped."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import IO

from local.configuration import Configuration
from local.environments import plain_environment
from local.object_store import prepare_folder, remove_leftovers
from local.ports import HEALTH, LAMBDA, LISTENERS, POD, S3
from local.processes import adopt_orphans, bound_to_parent, end_descendants, reap_orphans
from local.programs import (
    PYTHONPATH,
    Program,
    environment_file,
    programs_of,
    redis_dir,
    supervisord_conf,
)
from local.transports import Transport
from local.workers import has_worker

ENVIRONMENTS = "environments"
"""Folder in the state folder, while the stack runs."""
PROBE_TIMEOUT_S = 2.0
STOP_S = 9.0
"""From SIGTERM to SIGKILL: the whole stack is gone within 10 s."""
LEFTOVERS_S = 6.0
"""How long what a killed supervisord leaves behind has to end by itself."""


class StackError(Exception):
    """The stack cannot run; the message says why and what to do."""


class Stack:
    """All programs on this machine, run by supervisord."""

    def __init__(self, configuration: Configuration, write_log: Callable[[bytes], None]) -> None:
        """Prepare the stack; `start` starts it.

        Args:
            configuration: what to run; checked.
            write_log: receives every line that supervisord and the programs write.
        """
        self.configuration = configuration
        self._write_log = write_log
        self._conf = configuration.state_dir / "supervisord.conf"
        self._environments = configuration.state_dir / ENVIRONMENTS
        self._supervisord: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start all programs; once `missing` names none, they are ready."""
        configuration = self.configuration
        redis_dir(configuration).mkdir(parents=True, exist_ok=True)
        if configuration.media_dir and configuration.makes_media_dir:
            configuration.media_dir.mkdir(parents=True, exist_ok=True)
        if configuration.own_object_store:
            prepare_folder(configuration.state_dir)
        programs = programs_of(configuration)
        write_environments(self._environments, programs)
        conf = supervisord_conf(programs, self._environments, as_root=os.geteuid() == 0)
        self._conf.write_text(conf, encoding="utf-8")
        self._describe(configuration.state_dir / "stack.json")
        adopt_orphans()
        self._supervisord = self._start_supervisord()

    def _start_supervisord(self) -> "subprocess.Popen[bytes]":
        # a pipe, as supervisord opens /dev/stdout, which fails where ours is a socket (systemd); and a session of its
        # own: Ctrl-C reaches us alone, and the programs are stopped in their order
        supervisord = subprocess.Popen(
            [*bound_to_parent(), str(Path(sys.executable).with_name("supervisord")), "-n", "-c", str(self._conf)],
            env=plain_environment(self.configuration.environment) | {"PYTHONPATH": PYTHONPATH},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._copy_log, args=(supervisord.stdout,), daemon=True).start()
        return supervisord

    def _copy_log(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._write_log(line)

    def _describe(self, file: Path) -> None:
        """Write down the addresses for the next start and for tests; nothing secret."""
        configuration = self.configuration
        facts = {
            "ports": configuration.ports,
            "own_redis": configuration.own_redis,
            "own_pod": configuration.own_pod,
            "functions": [function.name for function in configuration.functions],
            "delivery": configuration.transport,
            "media_root": configuration.environment["MEDIA_ROOT"],
            "media_url": configuration.environment["MEDIA_URL"],
            "media_dir": str(configuration.media_dir) if configuration.media_dir else None,
        }
        file.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def missing(self) -> tuple[str, ...]:
        """Name the parts that do not answer yet; none once the stack accepts jobs."""
        ports = self.configuration.ports
        pages = {"the adapter": f"http://127.0.0.1:{ports[HEALTH]}/readyz"}
        names = [function.name for function in self.configuration.functions]
        if self.configuration.transport is Transport.HTTP:
            pages |= {f"the {name} function": f"http://127.0.0.1:{ports[name]}/" for name in names}
            names = []
        elif self.configuration.transport is Transport.LAMBDA:
            pages["the Lambda service"] = f"http://127.0.0.1:{ports[LAMBDA]}/"
            names = []
        if self.configuration.own_pod:
            pages["the stand-in for Pod"] = f"http://127.0.0.1:{ports[POD]}/"
        if self.configuration.own_object_store:
            pages["the S3 server"] = f"http://127.0.0.1:{ports[S3]}/healthz"
        silent = [name for name, url in pages.items() if not _answers(url, any_status=name.endswith("Pod"))]
        without = [f"the workers of {name}" for name in names if not has_worker(self.configuration.rq_url, name)]
        return (*silent, *without)

    def look_after(self) -> None:
        """Start supervisord again if it has died, after what it left behind has ended; to be called regularly."""
        if self._supervisord is None:
            return
        reap_orphans(self._supervisord.pid)
        if self._supervisord.poll() is not None:
            end_descendants(LEFTOVERS_S)
            self._supervisord = self._start_supervisord()
            self._write_log(b"supervisord had ended and has been started again.\n")

    def stop(self) -> None:
        """Stop all programs; none is left when this returns, at most some 10 s later."""
        supervisord, self._supervisord = self._supervisord, None
        if supervisord is not None:
            supervisord.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                supervisord.wait(STOP_S)
            end_descendants(0)
            supervisord.wait()
        shutil.rmtree(self._environments, ignore_errors=True)
        if self.configuration.own_object_store:
            remove_leftovers(self.configuration.state_dir, self.configuration.ports)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until the stack accepts jobs.

        Raises:
            StackError: it did not in time.
        """
        deadline = time.monotonic() + timeout_s
        while missing := self.missing():
            if time.monotonic() > deadline:
                raise StackError(
                    f"After {timeout_s:.0f} s there is still no answer from {', '.join(missing)}. The log says why."
                )
            self.look_after()
            time.sleep(0.2)


def running_environment(state_dir: Path, name: str) -> dict[str, str]:
    """The environment of a program of the stack that runs with a state folder; empty: none does.

    Args:
        state_dir: of the stack.
        name: of the program.
    """
    try:
        return dict(json.loads((state_dir / ENVIRONMENTS / f"{name}.json").read_text(encoding="ascii")))
    except OSError:
        return {}


def write_environments(folder: Path, programs: Iterable[Program]) -> None:
    """Write the environments of programs to files that nobody else may read, in place of those of an earlier start.

    Args:
        folder: ours alone.
        programs: each gets a file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for program in programs:
        # new, and with its mode from the beginning: nobody can have opened it before
        descriptor = os.open(environment_file(folder, program), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(program.environment, file)


def _answers(url: str, *, any_status: bool) -> bool:
    try:
        with LISTENERS.open(url, timeout=PROBE_TIMEOUT_S) as response:
            return bool(response.status == HTTPStatus.OK)
    except urllib.error.HTTPError:
        return any_status
    except OSError:
        return False


@contextlib.contextmanager
def hold_state(state_dir: Path) -> Iterator[None]:
    """Keep a second stack out of a state folder while this one runs.

    Raises:
        StackError: another one already runs there.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"A stack already runs with the folder {str(state_dir)!r}. "
                "Stop that one first, or choose another folder with --state."
            ) from None
        yield
