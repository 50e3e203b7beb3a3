"""A Redis server and two adapters of a campaign, and everything that can be done to them."""

import contextlib
import random
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from support.parts import Adapter, new_adapter
from support.processes import Program, free_port, wait_for
from support.shifted_clock import ShiftedClock

LEASE_S = 1.5
SETTINGS = {
    "PODJOBS_LEASE_S": str(LEASE_S),
    "PODJOBS_SWEEP_S": "0.1",
    "PODJOBS_RETRY_BASE_S": "0.1",
    "PODJOBS_RETRY_CAP_S": "0.4",
    "PODJOBS_BUSY_CAP_S": "0.3",
    "PODJOBS_GRACE_S": "0.3",
    "PODJOBS_TIMEOUT_MARGIN_S": "0.5",
    "PODJOBS_XAPI_BATCH_WAIT_S": "0.1",
    "PODJOBS_XAPI_BATCH_STATEMENTS": "40",
    "PODJOBS_CONCURRENCY_ENCODING": "8",
    "PODJOBS_CONCURRENCY_TRANSCRIPTION": "4",
    "PODJOBS_RETRY_LIMIT_ENCODING": "100",
    "PODJOBS_RETRY_LIMIT_TRANSCRIPTION": "100",
    "PODJOBS_RETRY_LIMIT_NOTIFICATION": "1000",
}
"""Short waits, and so many attempts that none is the last: each death of an adapter costs one."""
STOP_LIMIT_S = 20
"""An adapter that was told to stop has done so by then, however busy the machine."""
FAULT_LOGS = ("Internal error in the adapter", "never retrieved", "Traceback")


class RedisServer(Program):
    """redis-server with an append-only file, as scripts/up runs it."""

    def __init__(self, folder: Path, clock: ShiftedClock | None) -> None:
        self.port = free_port()
        self.data = folder / "redis"
        argv = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.data)]
        # what was answered is written: with `everysec`, a killed server may lose two seconds while its disk is busy
        argv += ["--appendonly", "yes", "--appendfsync", "always"]
        super().__init__("redis", argv, clock.settings if clock else {}, folder / "redis.log")
        self.client: Any = redis.Redis(port=self.port, decode_responses=True, socket_timeout=10)

    def start(self) -> None:
        """Start it; it loads what it had."""
        self.data.mkdir(parents=True, exist_ok=True)
        super().start()

    def answers(self) -> bool:
        """Whether it takes commands that write."""
        try:
            return bool(self.client.set("campaign:probe", 1))
        except redis.RedisError:
            return False


@dataclass
class Victim:
    """An adapter that is killed, stopped and started again."""

    adapter: Adapter
    started_at: float = 0.0
    paused: bool = False
    leaving: bool = False
    """It was told to stop."""

    def start(self) -> None:
        self.adapter.start()
        self.started_at, self.paused, self.leaving = time.monotonic(), False, False

    def send(self, number: int) -> None:
        assert self.adapter.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.adapter.process.send_signal(number)


@dataclass
class CampaignStack:
    """What runs. Every kind of harm is a method whose name begins with `harm_`; most undo themselves later."""

    folder: Path
    chance: random.Random
    server: RedisServer
    victims: tuple[Victim, ...]
    clock: ShiftedClock | None
    on_wipe: Callable[[], None]
    """Called when Redis has been emptied, before anything writes to it."""
    undo_later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    calm_at: float = 0.0
    """When the latest CLIENT PAUSE is over."""

    @classmethod
    def made_in(
        cls, folder: Path, chance: random.Random, functions: Mapping[str, str], on_wipe: Callable[[], None],
        clock: ShiftedClock | None,
    ) -> "CampaignStack":  # fmt: skip
        """Prepare everything; nothing runs yet."""
        server = RedisServer(folder, clock)
        url = f"redis://127.0.0.1:{server.port}/0"
        settings = {**SETTINGS, **functions}
        victims = tuple(Victim(new_adapter(url, settings, folder, f"adapter-{number}")) for number in (1, 2))
        return cls(folder, chance, server, victims, clock, on_wipe)

    @property
    def redis_url(self) -> str:
        """Of its Redis."""
        return f"redis://127.0.0.1:{self.server.port}/0"

    def start(self) -> None:
        self.server.start()
        wait_for(self.server.answers, 30)
        for victim in self.victims:
            victim.start()

    def stop(self) -> None:
        for victim in self.victims:
            victim.adapter.kill()
        self.server.kill()
        self.server.client.close()

    def undo_due(self, *, everything: bool = False) -> None:
        """Undo what has lasted long enough; start again what has ended, if it ended as it should."""
        now = time.monotonic()
        due = [undo for at_s, undo in self.undo_later if everything or at_s <= now]
        self.undo_later = [] if everything else [one for one in self.undo_later if one[0] > now]
        for undo in due:
            undo()
        for victim in self.victims:
            self._look_after(victim)

    def heal(self) -> None:
        """Undo everything, and wait until everything works."""
        self.undo_due(everything=True)
        wait_for(self.server.answers, 60, self.server.said)
        end = time.monotonic() + STOP_LIMIT_S
        while any(victim.leaving for victim in self.victims) and time.monotonic() < end:
            self.undo_due()
            time.sleep(0.05)
        self.undo_due()
        for victim in self.victims:
            victim.adapter.wait()

    def faults(self) -> list[str]:
        """What the adapters' logs should not contain."""
        lines = [line for victim in self.victims for line in victim.adapter.said().splitlines()]
        return [line for line in lines if any(fault in line for fault in FAULT_LOGS)]

    def _look_after(self, victim: Victim) -> None:
        if victim.adapter.is_running:
            late = victim.leaving and time.monotonic() > victim.started_at + STOP_LIMIT_S
            assert not late, f"{victim.adapter.name} does not stop.\n{victim.adapter.said()[-3000:]}"
            return
        process = victim.adapter.process
        assert process is not None
        status = process.returncode
        assert victim.leaving, f"{victim.adapter.name} ended by itself: {status}.\n{victim.adapter.said()[-3000:]}"
        # told so while Python was still starting, it ends by the signal itself
        assert status in {0, -signal.SIGTERM}, f"{victim.adapter.name} was stopped and ended with {status}."
        victim.start()

    def _later(self, delay_s: float, undo: Callable[[], None]) -> None:
        self.undo_later.append((time.monotonic() + delay_s, undo))

    def _command(self, *arguments: object) -> None:
        with contextlib.suppress(redis.RedisError):
            self.server.client.execute_command(*arguments)

    def _insist(self, *arguments: object) -> None:
        """A command that must succeed, once Redis is there; a server that was restarted has forgotten its settings."""
        wait_for(lambda: self._accepts(*arguments), 60, self.server.said)

    def _accepts(self, *arguments: object) -> bool:
        try:
            self.server.client.execute_command(*arguments)
        except redis.RedisError:
            return False
        return True

    def _choose(self) -> Victim | None:
        """An adapter that has had time to do something."""
        least_s = self.chance.choice((0.2, 3, 6))
        awake = [victim for victim in self.victims if not victim.paused and not victim.leaving]
        ready = [victim for victim in awake if time.monotonic() - victim.started_at > least_s]
        return self.chance.choice(ready) if ready else None

    def harm_kill_adapter(self) -> None:
        if victim := self._choose():
            victim.adapter.kill()
            victim.start()

    def harm_kill_both_adapters(self) -> None:
        for victim in self.victims:
            victim.adapter.kill()
        for victim in self.victims:
            victim.start()

    def harm_stop_adapter(self) -> None:
        if victim := self._choose():
            victim.leaving, victim.started_at = True, time.monotonic()
            victim.send(signal.SIGTERM)

    def harm_pause_adapter(self) -> None:
        """Longer than the lease: others take over, and then it goes on as if nothing had been."""
        if victim := self._choose():
            process = victim.adapter.process

            def wake() -> None:
                if victim.adapter.process is process:
                    victim.send(signal.SIGCONT)
                    victim.paused = False

            victim.send(signal.SIGSTOP)
            victim.paused = True
            self._later(LEASE_S * self.chance.uniform(0.5, 3), wake)

    def harm_cut_connections(self) -> None:
        self._command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def harm_pause_clients(self) -> None:
        duration_s = self.chance.uniform(0.1, 1.5)
        self.calm_at = time.monotonic() + duration_s + 0.5
        self._command("CLIENT", "PAUSE", int(duration_s * 1000), self.chance.choice(("ALL", "WRITE")))

    def harm_read_only(self) -> None:
        self._command("REPLICAOF", "127.0.0.1", "1")
        self._later(self.chance.uniform(0.2, 2), lambda: self._insist("REPLICAOF", "NO", "ONE"))

    def harm_out_of_memory(self) -> None:
        self._command("CONFIG", "SET", "maxmemory", "1")
        self._later(self.chance.uniform(0.2, 2), lambda: self._insist("CONFIG", "SET", "maxmemory", "0"))

    def harm_kill_redis(self) -> None:
        self.server.kill()
        if self.chance.random() < 0.3:
            time.sleep(self.chance.uniform(0.2, 1.5))
        self.server.start()

    def harm_empty_redis(self) -> None:
        self.server.kill()
        shutil.rmtree(self.server.data)
        self.on_wipe()
        self.server.start()

    def harm_set_clock(self) -> None:
        """Not while clients are paused: Redis would let them wait until its clock says otherwise."""
        if self.clock and time.monotonic() > self.calm_at:
            self.clock.set_by(self.chance.choice((-7200, -600, 0, 600, 7200)))
