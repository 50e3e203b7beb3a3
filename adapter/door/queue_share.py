"""A queue that is shared with Pod's own workers, or handed back to them (queue_share.lua).

    <queue> ──▶ the adapters        PODJOBS_SHARE percent of the videos (sides.lua)
       └──────▶ <queue>-pod         the rest, for Pod's workers, who are started with `-Q <queue>-pod`

Celery's own blocking read gives a message to one reader alone: two of them could not share a queue exactly.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from adapter.door.processing_list import EVERYTHING
from adapter.plurals import counted
from adapter.redis import keys
from adapter.redis.connections import RedisClient

logger = structlog.get_logger(__name__)

_SCRIPT = Path(__file__).with_name("queue_share.lua").read_text(encoding="utf-8")

LOOK_S = 1.0
UNREAD_LIMIT_S = 600
"""How long the oldest message may stay on the list of Pod's workers until that is said: a worker that encodes a long
video takes nothing meanwhile, but one that nobody has started never does."""
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue in numbers."""

    queue: str
    share_percent: int
    waiting: int
    """Messages on the queue."""
    taken: int
    """Messages so far, while the share was below 100."""
    forwarded: int
    """To Pod's workers, likewise."""
    waiting_for_pod: int
    """Messages that Pod's workers have not taken yet."""
    unread_s: float
    """How long they have taken none although some wait; 0: none waits."""
    handed_back_at: int
    """Since when no adapter reads the queue, in seconds since the epoch; 0: they do."""

    @property
    def is_shared(self) -> bool:
        """Whether there is anything to say about it."""
        return self.share_percent < EVERYTHING.percent or bool(self.waiting_for_pod or self.handed_back_at)

    @property
    def advice(self) -> str:
        """What an operator should know; empty: nothing."""
        if self.handed_back_at:
            return (
                f"The queue {self.queue} is handed back to Pod's workers: nothing is taken from it, and "
                f"{counted(self.waiting, 'message waits', 'messages wait')} on it. `podjobs takeover {self.queue}` "
                "begins again."
            )
        if self.unread_s < UNREAD_LIMIT_S:
            return ""
        left = keys.left_to_pod(self.queue)
        return (
            f"{counted(self.waiting_for_pod, 'message waits', 'messages wait')} on {left}, and none was taken for "
            f"{self.unread_s / 60:.0f} minutes. "
            f"Unless Pod's workers are all busy, start one with -Q {left}, or set PODJOBS_SHARE=100."
        )

    def describe(self) -> dict[str, int]:
        """For the status page."""
        return {
            "share": self.share_percent,
            "taken": self.taken,
            "forwarded": self.forwarded,
            "waiting_for_pod": self.waiting_for_pod,
            "unread_s": round(self.unread_s),
            "handed_back_at": self.handed_back_at,
        }

    def __str__(self) -> str:
        """For a line of `check`."""
        return self.advice or (
            f"{self.share_percent} % are taken: {counted(self.taken, 'message', 'messages')} so far; "
            f"{counted(self.forwarded, 'was', 'were')} left to Pod's workers, for whom "
            f"{counted(self.waiting_for_pod, 'waits', 'wait')}."
        )


class QueueShare:
    """The share of one queue."""

    def __init__(self, queue: str, broker: RedisClient, percent: int = EVERYTHING.percent) -> None:
        """Look at a queue.

        Args:
            queue: name of the broker's list.
            broker: a client of the broker's database.
            percent: how much of it is taken.
        """
        self._queue = queue
        self._percent = percent
        self._keys = [queue, keys.left_to_pod(queue), keys.share(queue), keys.handed_back(queue)]
        self._script = broker.register_script(_SCRIPT)
        self._look_at = 0.0
        self.advice = ""
        """What an operator should know, as of the latest look; empty: nothing."""

    async def state(self) -> QueueState:
        """Look at the queue. Raises RedisError."""
        waiting, taken, forwarded, left, unread_us, since = map(int, await self._run("look"))
        return QueueState(
            self._queue, self._percent, waiting, taken, forwarded, left, unread_us / MICROSECONDS, handed_back_at=since
        )

    async def watch(self) -> None:
        """Look from time to time, and log what an operator should know when that changes. Raises RedisError."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_S
        advice = (await self.state()).advice
        if advice and not self.advice:
            logger.warning(advice, queue=self._queue)
        elif self.advice and not advice:
            logger.info("The queue is read as it should be again.", queue=self._queue)
        self.advice = advice

    async def hand_back(self) -> int:
        """Keep all adapters from reading the queue, and put back on it what was left to Pod's workers.

        Returns:
            How many messages that was.

        Raises:
            RedisError: nothing was done, or it was done and the answer was lost. Safe to repeat.
        """
        return int(await self._run("hand_back"))

    async def take_over(self) -> bool:
        """Let adapters read the queue again. False if it was not handed back. Raises RedisError."""
        return bool(await self._run("take_over"))

    async def _run(self, operation: str) -> Any:
        return await self._script(keys=self._keys, args=[operation])
