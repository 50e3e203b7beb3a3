"""A server in the place of a function that performs steps, and how the tests' dispatches retry and wait."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent, from_http

from adapter.retries import RetryPolicy
from adapter.settings import DispatchTiming
from podjobs.contract.message_contracts import STEPS, StepReply
from podjobs.contract.plans import Plan, Result, Stage, StepSpec

RETRIES = RetryPolicy(base_s=0.5, factor=1, cap_s=1, limit=3)
TIMING = DispatchTiming(lease_s=2, sweep_s=0.1, busy_cap_s=1, not_now_limit_s=60)


def reply_event(reply: StepReply) -> web.Response:
    """The response that carries a reply."""
    kind = STEPS.type_of(reply)
    headers, body = to_binary(CloudEvent({"type": kind, "source": "/test"}, reply.model_dump(mode="json")))
    return web.Response(body=body, headers=headers)


@dataclass
class FakeFunction:
    """A server that answers as the test says and notes what it was asked."""

    answers: list[Any] = field(default_factory=list)
    """One a request, from the first; then a result."""
    takes_s: float = 0
    asked: list[Any] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request."""
        event = from_http(dict(request.headers), await request.read())
        self.asked.append(event.data)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else Result()
        if answer == "hang":
            await asyncio.sleep(3)
            return web.Response()
        if answer == "break":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if isinstance(answer, web.Response):
            return answer
        return reply_event(answer)

    @property
    def attempts(self) -> list[int]:
        """The attempts' numbers, as they were asked for."""
        return [asked["attempt"] for asked in self.asked]


def plan_of(count: int, **more: Any) -> Plan:
    """A plan of so many chunks."""
    steps = tuple(StepSpec(id=f"s{number}", function="encoding", action="chunk", **more) for number in range(count))
    return Plan(stages=(Stage(name="encode", steps=steps),))
