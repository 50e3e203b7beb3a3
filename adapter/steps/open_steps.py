"""The steps in work here, and which of them nobody waits for any longer.

A job may end while functions work on its steps: a newer one supersedes it, its video is deleted, another step fails for
good. What is left of it has no use, and takes a slot. So all steps in work are looked up regularly, in one script.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from redis.exceptions import RedisError

from adapter.cancellation import cancel_and_wait
from adapter.steps.entries import ClaimedStep
from adapter.steps.records import Records

logger = structlog.get_logger(__name__)

T = TypeVar("T")


class StepClosedError(Exception):
    """The step is no longer open: nobody waits for its reply."""


@dataclass(slots=True)
class _Work:
    step: ClaimedStep
    task: "asyncio.Task[Any]"
    is_closed: bool = False


class OpenSteps:
    """Does the work of steps, each for as long as it is open."""

    def __init__(self, records: Records, interval_s: float) -> None:
        """Create the watch; `run` does the looking.

        Args:
            records: the job records.
            interval_s: seconds between two looks.
        """
        self._records = records
        self._interval_s = interval_s
        self._at_work: dict[str, _Work] = {}

    async def while_open(self, step: ClaimedStep, doing: Coroutine[Any, Any, T]) -> T:
        """Do something for a step, and return what it returns.

        Args:
            step: of which nothing else is done here meanwhile.
            doing: cancelled when the step is closed, or when the caller is.

        Raises:
            StepClosedError: the step was closed before it was done.
        """
        task = asyncio.create_task(doing)
        work = self._at_work[step.entry_id] = _Work(step, task)
        try:
            await asyncio.wait({task})
        finally:
            del self._at_work[step.entry_id]
            await cancel_and_wait([task])
        if work.is_closed:
            raise StepClosedError
        return task.result()

    async def run(self) -> None:
        """Look regularly, until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self._look()
            except RedisError as error:
                logger.warning("It cannot be looked up which steps are still open.", error=str(error))

    async def _look(self) -> None:
        if not self._at_work:
            return
        closed = await self._records.find_closed([work.step for work in self._at_work.values()])
        for entry_id in closed & self._at_work.keys():
            work = self._at_work[entry_id]
            work.is_closed = True
            work.task.cancel()
