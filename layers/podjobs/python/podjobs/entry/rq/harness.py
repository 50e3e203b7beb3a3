"""Keeps a worker's horse: has one ready, and replaces it when it was killed, has died, or holds too much memory."""

import time
from collections.abc import Callable
from typing import Any

import structlog

from podjobs.entry.rq.horse import Horse, HorseLostError, HorseReply

logger = structlog.get_logger(__name__)

LOOK_S = 0.5
"""How often whoever waits is asked whether it still does."""
OPEN_S = 300
"""How long a function may take to open."""


class StepEndedError(Exception):
    """A step did not succeed; the message, for the job's record, says why."""


class Harness:
    """The horse of one worker."""

    def __init__(self, saddle: Callable[[], Horse], memory_bytes: int) -> None:
        """Begin without a horse.

        Args:
            saddle: starts one.
            memory_bytes: a horse that holds more between two steps is replaced; 0: never.
        """
        self._saddle = saddle
        self._memory_bytes = memory_bytes
        self._horse: Horse | None = None

    @property
    def pid(self) -> int:
        """The horse's process; 0: there is none."""
        return self._horse.pid if self._horse is not None else 0

    def prepare(self, check: Callable[[], None]) -> bool:
        """Have a horse that has opened the function.

        Args:
            check: called again and again meanwhile; what it raises ends the wait.

        Returns:
            Whether there is one. The log says why not.
        """
        if self._horse is not None:
            return True
        horse = self._saddle()
        deadline_s = time.monotonic() + OPEN_S
        try:
            while not horse.wait_ready(LOOK_S):
                check()
                if time.monotonic() > deadline_s:
                    horse.kill()
        except HorseLostError as error:
            logger.warning("The function cannot be opened, and is tried again.", reason=f"Its process {error}.")
            return False
        except BaseException:
            horse.kill()
            raise
        self._horse = horse
        return True

    def perform(self, message: Any, check: Callable[[], None]) -> HorseReply:
        """Have a step performed.

        Args:
            message: for the function.
            check: called again and again meanwhile; what it raises ends the horse, and with it the step.

        Raises:
            StepEndedError: the horse has died.
        """
        horse = self._horse
        if horse is None:
            raise StepEndedError("The worker has no process that could perform the step.")
        try:
            horse.send(message)
            while (reply := horse.receive(LOOK_S)) is None:
                check()
        except HorseLostError as error:
            self._horse = None
            reason = f"The process that performed the step {error}; the machine may be short of memory."
            raise StepEndedError(reason) from error
        except BaseException:
            self.kill()
            self.release()
            raise
        if 0 < self._memory_bytes < reply.memory_bytes:
            held, limit = reply.memory_bytes >> 20, self._memory_bytes >> 20
            logger.info("The function's process holds too much memory and is replaced.", held_mb=held, limit_mb=limit)
            self.release()
        return reply

    def kill(self) -> None:
        """Kill the horse; its worker notices. May be called in another thread."""
        horse = self._horse
        if horse is not None:
            horse.kill()

    def release(self) -> None:
        """Let the horse end."""
        horse, self._horse = self._horse, None
        if horse is not None:
            horse.end()
