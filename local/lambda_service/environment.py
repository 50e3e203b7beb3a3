"""One execution environment: an emulator's process with the function's runtime below it."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import psutil

from local.lambda_service.answers import FunctionAnswer, read_emulator_answer
from local.lambda_service.emulator import HERE, INVOKE, emulator_argv, emulator_environment
from local.lambda_service.functions import LambdaFunction

START_LIMIT_S = 10.0
POLL_S = 0.005
LOG_TAIL_BYTES = 4096
"""Source: AWS, Lambda API reference, Invoke, X-Amz-Log-Result."""
LOG_LIMIT_S = 0.5
"""How long the last lines of an invocation may take after its answer."""
LINE_BYTES = 1 << 20
START, END, REPORT = "START RequestId: ", "END RequestId: ", "REPORT RequestId: "
GRACE_S = 60.0
"""Beyond the function's time-out: the emulator ends invocations, but one that does not must not hold its place."""


class EnvironmentEndedError(Exception):
    """The execution environment is gone, and with it what it was doing."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation that was answered."""

    request_id: str
    """As the handler knows it."""
    answer: FunctionAnswer
    log: bytes
    """The end of what was written meanwhile."""


class ExecutionEnvironment:
    """Runs a function's handler, one invocation at a time."""

    def __init__(self, function: LambdaFunction, folder: Path, client: aiohttp.ClientSession) -> None:
        """Prepare it; `start` starts it.

        Args:
            function: that it runs.
            folder: its own, made here and removed at its end.
            client: for the emulator's HTTP.
        """
        self._function = function
        self._folder = folder
        self._client = client
        self._url = ""
        self._process: asyncio.subprocess.Process | None = None
        self._runtime: psutil.Process | None = None
        self._copying: asyncio.Task[None] | None = None
        self._log: deque[bytes] = deque()
        self._request_id = ""
        self._started, self._reported = asyncio.Event(), asyncio.Event()

    @property
    def can_serve(self) -> bool:
        """Whether it lives, and its runtime too, if it has one already."""
        if self._process is None or self._process.returncode is not None:
            return False
        return self._runtime is None or _lives(self._runtime)

    async def start(self) -> None:
        """Start the emulator. The handler is loaded by the first invocation.

        Raises:
            EnvironmentEndedError: it does not start.
        """
        self._folder.mkdir(mode=0o700, parents=True)
        port, runtime_port = _free_ports()
        self._url = f"http://{HERE}:{port}{INVOKE}"
        self._process = await asyncio.create_subprocess_exec(
            *emulator_argv(self._function, port, runtime_port),
            env=emulator_environment(self._function, self._folder),
            cwd=self._function.source,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_BYTES,
            start_new_session=True,  # by which its processes are found again
        )
        self._copying = asyncio.create_task(self._copy_log(self._process))
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while not (await _listens(port) and _is_listener(self._process.pid, port)):
                    if self._process.returncode is not None:
                        raise EnvironmentEndedError("The emulator ended at its start; the service's log says why.")
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise EnvironmentEndedError(f"The emulator did not listen within {START_LIMIT_S:g} s.") from None

    async def invoke(self, payload: bytes, headers: Mapping[str, str], *, with_log: bool) -> Invocation:
        """Let the handler answer an event.

        Args:
            payload: JSON.
            headers: of the client's request, to be passed on.
            with_log: whether the end of the log is wanted; that may take a moment longer.

        Raises:
            EnvironmentEndedError: it has died meanwhile.
        """
        self._log.clear()
        self._request_id = ""
        self._started.clear()
        self._reported.clear()
        limit = aiohttp.ClientTimeout(total=self._function.timeout_s + GRACE_S)
        try:
            async with self._client.post(self._url, data=payload, headers=headers, timeout=limit) as response:
                status, content = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EnvironmentEndedError("The execution environment ended in the middle of an invocation.") from error
        await _within(self._started, LOG_LIMIT_S)
        if with_log:
            await _within(self._reported, LOG_LIMIT_S)
        if self._runtime is None and self._process:
            self._runtime = _child_of(self._process.pid)
        request_id = self._request_id or str(uuid4())
        answer = read_emulator_answer(status, content, request_id)
        return Invocation(request_id, answer, b"".join(self._log)[-LOG_TAIL_BYTES:])

    async def end(self) -> None:
        """Kill it with all that it has started, and remove its folder."""
        if self._process is not None:
            _kill_session(self._process.pid)
            await self._process.wait()
            # what the runtime had started in sessions of its own has lost its parent, and ends by that
            _kill_session(self._process.pid)
        if self._copying is not None:
            self._copying.cancel()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _copy_log(self, process: asyncio.subprocess.Process) -> None:
        """Copy what it writes to our own log, but for what only counts invocations."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        while line := await _next_line(process.stdout):
            text = line.decode("utf-8", "replace")
            self._log.append(line)
            while sum(map(len, self._log)) > 2 * LOG_TAIL_BYTES and len(self._log) > 1:
                self._log.popleft()
            if text.startswith(START):
                self._request_id = text.removeprefix(START).split()[0]
                self._started.set()
            elif text.startswith(REPORT):
                self._reported.set()
            elif not text.startswith(END):
                sys.stderr.write(text)
                sys.stderr.flush()


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than the limit: it was dropped
        return b"A line was too long to be shown.\n"


async def _within(event: asyncio.Event, limit_s: float) -> None:
    """Wait for something, but not for long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()


def _free_ports() -> tuple[int, int]:
    """Two ports on which nobody listens."""
    with socket.socket() as one, socket.socket() as other:
        one.bind((HERE, 0))
        other.bind((HERE, 0))
        return one.getsockname()[1], other.getsockname()[1]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HERE, port)
    except OSError:
        return False
    writer.close()
    return True


def _is_listener(pid: int, port: int) -> bool:
    """Whether it is this process that listens: between the choice of a port and its use, another may have taken it."""
    try:
        sockets = psutil.Process(pid).net_connections(kind="tcp4")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)


def _child_of(pid: int) -> psutil.Process | None:
    """The runtime's process, if there is one."""
    try:
        return next(iter(psutil.Process(pid).children()), None)
    except psutil.Error:
        return None


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _kill_session(session: int) -> None:
    """Kill every process of a session, and whatever descends from one."""
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == session:
                members += [process, *process.children(recursive=True)]
    for process in members:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)
