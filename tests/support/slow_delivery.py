"""A delivery whose function answers when a test says so, and that notes what is withdrawn."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from adapter.delivery import DeliveryError
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.plans import Result
from podjobs.contract.steps import Step


@dataclass
class SlowDelivery:
    """Delivers steps to nobody: those without an answer stay in work."""

    answers: Mapping[str, StepReply | DeliveryError] = field(default_factory=dict)
    """By action or, before that, by step id; all other steps stay in work until `released`."""
    present: int | RedisError | None = None
    """How many workers there are, or why they cannot be counted."""
    begun: list[str] = field(default_factory=list)
    """Job and step, in the order in which they were delivered."""
    withdrawn: list[str] = field(default_factory=list)
    in_flight: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, request: Step, /) -> StepReply:
        """Answer as the test says, or not yet."""
        self.begun.append(_name(request))
        answer = self.answers.get(request.step_id) or self.answers.get(request.action)
        if isinstance(answer, DeliveryError):
            raise answer
        if answer is not None:
            return answer
        self.in_flight += 1
        try:
            await self.released.wait()
        finally:
            self.in_flight -= 1
        return Result()

    async def withdraw(self, request: Step, /) -> None:
        """Note it."""
        self.withdrawn.append(_name(request))

    async def workers(self) -> int | None:
        """As the test says."""
        if isinstance(self.present, RedisError):
            raise self.present
        return self.present

    async def close(self) -> None:
        """There is nothing to release."""


def _name(request: Step) -> str:
    return f"{request.job.id}/{request.step_id}"
