"""The RQ workers of a campaign, and everything that can be done to them."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from support.parts import WorkerPool, new_worker_pool
from support.processes import REPOSITORY
from support.stack import command_line

MAIN = REPOSITORY / "tests" / "support" / "campaign_worker.py"
POOLS = {
    "encoding-1": ("encoding", 2),
    "encoding-2": ("encoding", 2),  # as on another server
    "transcription": ("transcription", 1),
    "notification": ("notification", 1),
    "xapi": ("xapi", 1),
}
"""Each pool's queue, and how many workers it has."""
SETTINGS = {"PODJOBS_WORKER_GRACE_S": "0.3"}
STOP_LIMIT_S = 20
"""A pool that was told to stop has done so by then, however busy the machine."""
HORSE = "podjobs.entry.rq.horse_process"
FAULT_LOGS = ("Traceback", "never retrieved")


def queue_addresses() -> dict[str, str]:
    """The adapter's settings that name the queues."""
    return {f"PODJOBS_FUNCTION_URL_{queue.upper()}": f"rq:{queue}" for queue, _ in POOLS.values()}


@dataclass
class CampaignPools:
    """All pools. Every kind of harm is a method whose name begins with `harm_`."""

    chance: random.Random
    pools: tuple[WorkerPool, ...]
    leaving: set[str] = field(default_factory=set)
    """The names of those that were told to stop."""
    since_s: dict[str, float] = field(default_factory=dict)
    """When each was started or told to stop."""

    @classmethod
    def made_in(cls, folder: Path, chance: random.Random, urls: Mapping[str, str], redis_url: str) -> "CampaignPools":
        """Prepare everything; nothing runs yet.

        Args:
            folder: for logs.
            chance: decides what is harmed.
            urls: the settings that name where the campaign's server answers for each function.
            redis_url: of the queues.
        """
        pools = []
        for name, (queue, workers) in POOLS.items():
            settings = SETTINGS | {"CAMPAIGN_URL": urls[f"PODJOBS_FUNCTION_URL_{queue.upper()}"]}
            pools.append(new_worker_pool(queue, MAIN, settings, folder, redis_url, workers, name))
        return cls(chance, tuple(pools))

    def start(self) -> None:
        """Start all, and wait until all work."""
        for pool in self.pools:
            self._start(pool)
        for pool in self.pools:
            pool.wait()

    def stop(self) -> None:
        """End all at once, with whatever they have started."""
        for pool in self.pools:
            _kill_family(pool)

    def look_after(self) -> None:
        """Start again those that have stopped; whoever ends by itself is a fault."""
        for pool in self.pools:
            is_told = pool.name in self.leaving
            if pool.is_running:
                is_late = is_told and time.monotonic() > self.since_s[pool.name] + STOP_LIMIT_S
                assert not is_late, f"{pool.name} does not stop.\n{pool.said()[-3000:]}"
                continue
            assert is_told, f"{pool.name} ended by itself.\n{pool.said()[-3000:]}"
            self._start(pool)

    def heal(self) -> None:
        """Wait until all work."""
        while self.leaving:
            self.look_after()
            time.sleep(0.05)
        for pool in self.pools:
            pool.wait()

    def said(self) -> str:
        """The ends of all logs."""
        return "\n".join(pool.said()[-1500:] for pool in self.pools)

    def faults(self) -> list[str]:
        """What the logs should not contain."""
        lines = [line for pool in self.pools for line in pool.said().splitlines()]
        return [line for line in lines if any(fault in line for fault in FAULT_LOGS)]

    def harm_kill_pool(self) -> None:
        """As when a server loses its power: everything at once."""
        if pool := self._choose():
            _kill_family(pool)
            self._start(pool)

    def harm_kill_parent(self) -> None:
        """What a pool's process leaves behind ends by itself."""
        pool = self._choose()
        if pool and pool.process:
            pool.process.kill()
            pool.process.wait()
            self._start(pool)

    def harm_stop_pool(self) -> None:
        """As an administrator does."""
        pool = self._choose()
        if pool and pool.process:
            self.leaving.add(pool.name)
            self.since_s[pool.name] = time.monotonic()
            pool.process.send_signal(signal.SIGTERM)

    def harm_kill_worker(self) -> None:
        """Its pool starts another."""
        self._send(signal.SIGKILL, lambda line: HORSE not in line)

    def harm_kill_horse(self) -> None:
        """As when memory is short."""
        self._send(signal.SIGKILL, lambda line: HORSE in line)

    def harm_pause_worker(self) -> None:
        """Not for so long that it is taken for dead."""
        for process in self._send(signal.SIGSTOP, lambda line: HORSE not in line):
            time.sleep(self.chance.uniform(0.2, 2))
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def _start(self, pool: WorkerPool) -> None:
        pool.start()
        self.leaving.discard(pool.name)
        self.since_s[pool.name] = time.monotonic()

    def _choose(self) -> WorkerPool | None:
        """A pool that has had time to do something."""
        least_s = self.chance.choice((1, 6, 10))
        ready = [pool for pool in self.pools if pool.name not in self.leaving and pool.is_running]
        ready = [pool for pool in ready if time.monotonic() - self.since_s[pool.name] > least_s]
        return self.chance.choice(ready) if ready else None

    def _send(self, number: int, is_meant: Callable[[str], bool]) -> list[psutil.Process]:
        """Send a signal to one process below a pool. Returns it, if there is one."""
        pool = self._choose()
        below = pool.family()[1:] if pool else []
        found = [process for process in below if is_meant(command_line(process))]
        if not found:
            return []
        chosen = self.chance.choice(found)
        with contextlib.suppress(psutil.NoSuchProcess):
            chosen.send_signal(number)
        return [chosen]


def _kill_family(pool: WorkerPool) -> None:
    if pool.is_running:
        for process in pool.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    pool.kill()
