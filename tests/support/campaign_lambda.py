"""The Lambda service of a campaign, its execution environments, and everything that can be done to them."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from support.lambda_service import EMULATOR, RUNTIME, LambdaService, new_lambda_function, new_lambda_service

CONCURRENCY = {"encoding": 4, "transcription": 2, "notification": 2, "xapi": 2}
"""Fewer environments than the adapters together have slots: some invocations are throttled anyway."""
TIMEOUT_S, HANG_S = 10, 12
"""Of the functions, and of answers that hang: these end by the time-out. It includes the start of the function, and
when many are started at once on a busy machine, that takes seconds."""
FAULT_LOGS = ("Traceback", "never retrieved")


@dataclass
class CampaignLambda:
    """The service. Every kind of harm is a method whose name begins with `harm_`."""

    chance: random.Random
    service: LambdaService
    since_s: float = 0.0
    """When it was started."""
    undo_later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    @classmethod
    def made_in(cls, folder: Path, chance: random.Random, urls: Mapping[str, str]) -> "CampaignLambda":
        """Prepare it; nothing runs yet.

        Args:
            folder: for logs.
            chance: decides what is harmed.
            urls: the settings that name where the campaign's server answers for each function.
        """
        functions = [
            new_lambda_function(
                name,
                Path(__file__).parent,
                {"CAMPAIGN_URL": urls[f"PODJOBS_FUNCTION_URL_{name.upper()}"]},
                handler="campaign_worker.handle_message",
                concurrency=concurrency,
                timeout_s=TIMEOUT_S,
            )
            for name, concurrency in CONCURRENCY.items()
        ]
        return cls(chance, new_lambda_service(functions, folder, "--idle", "3"))

    @property
    def addresses(self) -> dict[str, str]:
        """The adapter's settings that name the functions, and lead to the service."""
        urls = {f"PODJOBS_FUNCTION_URL_{name.upper()}": f"lambda:{name}" for name in CONCURRENCY}
        return urls | self.service.client_settings

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._start()
        self.service.wait()

    def stop(self) -> None:
        """End it at once, with whatever it has started."""
        family = self.service.family() if self.service.is_running else []
        self.service.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def look_after(self) -> None:
        """Undo what has lasted long enough; if it ended by itself, that is a fault."""
        assert self.service.is_running, f"The Lambda service ended by itself.\n{self.said()}"
        now = time.monotonic()
        due = [undo for at_s, undo in self.undo_later if at_s <= now]
        self.undo_later = [one for one in self.undo_later if one[0] > now]
        for undo in due:
            undo()

    def heal(self) -> None:
        """Undo everything, and wait until it works."""
        for _, undo in self.undo_later:
            undo()
        self.undo_later = []
        self.service.wait()

    def said(self) -> str:
        """The end of its log."""
        return self.service.said()[-4000:]

    def faults(self) -> list[str]:
        """What its log should not contain; that of its functions is in it."""
        lines = self.service.said().splitlines()
        return [line for line in lines if any(fault in line for fault in FAULT_LOGS)]

    def harm_kill_service(self) -> None:
        """With it, all environments end."""
        if self._has_worked():
            self.service.kill()
            self._start()
            if self.chance.random() < 0.5:
                self.service.wait()

    def harm_stop_service(self) -> None:
        """As scripts/up does."""
        if self._has_worked():
            self.service.stop()
            self._start()

    def harm_pause_service(self) -> None:
        """All answers are late."""
        self._pause([psutil.Process(self.service.process.pid)] if self.service.process else [])

    def harm_kill_emulator(self) -> None:
        """As when the machine below an environment dies."""
        self._kill(EMULATOR)

    def harm_kill_runtime(self) -> None:
        """As when memory is short."""
        self._kill(RUNTIME)

    def harm_pause_runtime(self) -> None:
        """A slow environment."""
        self._pause(self._chosen(RUNTIME))

    def harm_throttle(self) -> None:
        """A function may have fewer environments for a while, or none."""
        name = self.chance.choice(list(CONCURRENCY))
        limit = self.chance.choice((0, 0, 1))
        with contextlib.suppress(ClientError, BotoCoreError):
            client = self.service.client()
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=limit)
        self._later(self.chance.uniform(0.2, 2), lambda: self._unthrottle(name))

    def _unthrottle(self, name: str) -> None:
        # one that was started anew knows nothing of it
        with contextlib.suppress(ClientError, BotoCoreError):
            self.service.client().delete_function_concurrency(FunctionName=name)

    def _start(self) -> None:
        self.service.start()
        self.since_s = time.monotonic()

    def _has_worked(self) -> bool:
        return time.monotonic() - self.since_s > self.chance.choice((1, 4, 8))

    def _later(self, delay_s: float, undo: Callable[[], None]) -> None:
        self.undo_later.append((time.monotonic() + delay_s, undo))

    def _kill(self, mark: str) -> None:
        for process in self._chosen(mark):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _pause(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
                time.sleep(self.chance.uniform(0.2, 1.5))
                process.send_signal(signal.SIGCONT)

    def _chosen(self, mark: str) -> list[psutil.Process]:
        """One of the processes below the service with that mark, if there is one."""
        found = self.service.find(mark)
        return [self.chance.choice(found)] if found else []
