"""What Kubernetes does with the pods of one Deployment behind a Service, with processes on this machine.

As there: a pod gets connections once it answers; one that is to go gets none any more, has its `preStop`, then SIGTERM,
and as long as it needs. A connection goes to a pod by chance; without any it is refused.
"""

import asyncio
import contextlib
import os
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from support.processes import REPOSITORY, Program, free_port, serves

START = REPOSITORY / "layers/podjobs/bin/start"


class Service:
    """One address before several: it passes on connections, not requests."""

    def __init__(self) -> None:
        """Nothing is served yet."""
        self.port = free_port()
        self._pods: tuple[int, ...] = ()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def lead_to(self, ports: tuple[int, ...]) -> None:
        """From now on, connections go to these."""
        asyncio.run_coroutine_threadsafe(self._lead_to(ports), self._loop).result(10)

    def stop(self) -> None:
        """Refuse everything."""
        self.lead_to(())
        asyncio.run_coroutine_threadsafe(self._end_connections(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end_connections(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _lead_to(self, ports: tuple[int, ...]) -> None:
        self._pods = ports
        if ports and self._server is None:
            self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        elif not ports and self._server is not None:
            self._server.close()
            self._server = None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            port = random.choice(self._pods)  # as kube-proxy does
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(inner_writer):
                ways = ((reader, inner_writer), (inner_reader, writer))
                await asyncio.gather(*(_copy(*way) for way in ways))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@dataclass
class Pod:
    """One instance."""

    program: Program
    port: int
    is_ready: bool = False
    end_at_s: float | None = None
    """When it gets SIGTERM; None: it is not to go."""
    is_told: bool = False

    @property
    def pid(self) -> int:
        """Of its first process."""
        assert self.program.process is not None
        return self.program.process.pid


@dataclass
class Deployment:
    """The pods of one function, as many as there should be."""

    folder: Path
    main: Path
    settings: dict[str, str]
    pre_stop_s: float
    service: Service = field(default_factory=Service)
    pods: list[Pod] = field(default_factory=list)
    """Those that are to go included, until they are gone."""
    ended_busy: int = 0
    """How many were told to go while they had steps."""
    statuses: list[int] = field(default_factory=list)
    """With which those ended that were told to."""

    def __post_init__(self) -> None:
        """Write the script that starts pods: that of the images, for this function, on this machine alone."""
        text = START.read_text(encoding="utf-8")
        for there, here in (("/opt/function/main.py", str(self.main)), ("0.0.0.0", "127.0.0.1")):  # noqa: S104 - replaced
            assert there in text, there
            text = text.replace(there, here)
        self._script.write_text(text, encoding="utf-8")

    @property
    def _script(self) -> Path:
        return self.folder / "start"

    @property
    def replicas(self) -> int:
        """How many pods there should be."""
        return sum(pod.end_at_s is None for pod in self.pods)

    def scale(self, wanted: int) -> None:
        """Start pods, or tell some to go: those with most steps first, the worst that Kubernetes may choose."""
        while self.replicas < wanted:
            self.pods.append(self._start())
        busy = self.running_steps()
        kept = sorted((pod for pod in self.pods if pod.end_at_s is None), key=lambda pod: busy[pod.pid])
        for pod in kept[wanted:]:
            pod.end_at_s = time.monotonic() + self.pre_stop_s
            self.ended_busy += busy[pod.pid] > 0
        self.look_after()

    def look_after(self) -> None:
        """Do what is due: lead connections to what answers, send SIGTERM, forget what is gone."""
        for pod in self.pods:
            if pod.end_at_s is None:
                assert pod.program.is_running, pod.program.said()
                pod.is_ready = pod.is_ready or serves(pod.program.page)
            elif not pod.is_told and time.monotonic() >= pod.end_at_s and pod.program.process is not None:
                pod.program.process.terminate()
                pod.is_told = True
        gone = [pod for pod in self.pods if not pod.program.is_running]
        self.statuses += [pod.program.process.returncode for pod in gone if pod.program.process is not None]
        self.pods = [pod for pod in self.pods if pod not in gone]
        self.service.lead_to(tuple(pod.port for pod in self.pods if pod.is_ready and pod.end_at_s is None))

    def notes(self) -> list[list[str]]:
        """What the function has noted (paced_function.py)."""
        path = self.folder / "notes"
        return [line.split() for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def running_steps(self) -> Counter[int]:
        """Process → steps that it works on."""
        counts: Counter[int] = Counter()
        for what, pid, *_ in self.notes():
            counts[int(pid)] += 1 if what == "begin" else -1
        return counts

    def stop(self) -> None:
        """End everything at once."""
        self.service.stop()
        for pod in self.pods:
            pod.program.kill()

    def _start(self) -> Pod:
        number, port = len(self.pods) + len(self.statuses), free_port()
        environment = self.settings | {"PORT": str(port), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        argv = ["sh", str(self._script), "serve"]
        log = self.folder / f"pod-{number}-{port}.log"
        program = Program(f"pod-{number}", argv, environment, log, f"http://127.0.0.1:{port}/")
        program.start()
        return Pod(program, port)
