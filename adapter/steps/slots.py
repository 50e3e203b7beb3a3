"""How many steps of a function are in flight at once."""

import asyncio
from typing import Any

import structlog
from redis.exceptions import RedisError

from adapter.delivery import Delivery
from adapter.settings import FunctionSettings

logger = structlog.get_logger(__name__)

AHEAD = 1
"""Steps beside those that workers work on: the next one is there when a worker is free, and the first worker that comes
finds one. More would only leave the turns of jobs to the transport's queue."""


class Slots:
    """The number of a function's slots: what an operator has set, or what its workers can take."""

    def __init__(self, function: FunctionSettings, delivery: Delivery[Any, Any], interval_s: float) -> None:
        """Count the slots of one function; `run` keeps the number of its workers.

        Args:
            function: the function and its limits.
            delivery: knows its workers, or does not.
            interval_s: seconds between two counts of the workers.
        """
        self._function = function
        self._delivery = delivery
        self._interval_s = interval_s
        self.workers: int | None = None
        """How many there are; None: not known."""
        self._changed = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many steps may be in flight."""
        if self._function.concurrency_is_set or self.workers is None:
            return self._function.concurrency
        return self.workers + AHEAD

    async def free(self, taken: "dict[str, Any]") -> int:
        """Wait until there is a free slot.

        Args:
            taken: has an item for each step in flight.

        Returns:
            How many there are.
        """
        while self.limit <= len(taken):
            self._changed.clear()
            await self._changed.wait()
        return self.limit - len(taken)

    def note_freed(self) -> None:
        """Note that a step is no longer in flight."""
        self._changed.set()

    async def count_workers(self) -> None:
        """Count the function's workers; if that fails, it has as many as before."""
        try:
            workers = await self._delivery.workers()
        except RedisError as error:
            logger.warning("The workers cannot be counted.", function=self._function.name, error=str(error))
            return
        if workers == self.workers:
            return
        self.workers = workers
        self._changed.set()
        if workers == 0:
            remedy = f"scripts/podjobs worker {self._function.name}"
            logger.warning("No worker serves the function: its steps wait.", function=self._function.name, start=remedy)
        else:
            logger.info("The number of workers has changed.", function=self._function.name, workers=workers)

    async def run(self) -> None:
        """Count the workers regularly, until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.count_workers()
