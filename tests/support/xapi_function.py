"""A stand-in for the function `xapi` that answers batches of statements as a test says."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent, from_http

from podjobs.contract.statements import REPORT_EVENT_TYPE, BatchReport, StatementBatch


def numbers(batch: StatementBatch) -> list[int]:
    """The numbers of its statements."""
    return [entry.statement["n"] for entry in batch.entries]


def accept_all(batch: StatementBatch) -> BatchReport:
    """The report of an LRS that takes everything."""
    return BatchReport(accepted=tuple(entry.entry_id for entry in batch.entries))


@dataclass
class FakeXapiFunction:
    """Answers batches as the test says, from a list first, then by its judge."""

    answers: list[Any] = field(default_factory=list)
    judge: Callable[[StatementBatch], Any] = accept_all
    takes_s: float = 0
    lasts_s: Callable[[StatementBatch], float] | None = None
    """How long it takes for a batch; None: `takes_s`."""
    asked: list[StatementBatch] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        batch = StatementBatch.model_validate(from_http(dict(request.headers), await request.read()).data)
        self.asked.append(batch)
        self.at.append(time.monotonic())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.lasts_s(batch) if self.lasts_s else self.takes_s)
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else self.judge(batch)
        if answer == "break":
            assert request.transport
            request.transport.abort()
            return web.Response()
        if isinstance(answer, web.StreamResponse):
            return answer
        named = {entry.entry_id: entry.statement["n"] for entry in batch.entries}
        self.accepted += [named[entry_id] for entry_id in answer.accepted if entry_id in named]
        event = CloudEvent({"type": REPORT_EVENT_TYPE, "source": "/f"}, answer.model_dump(mode="json"))
        headers, body = to_binary(event)
        return web.Response(body=body, headers=headers)

    @property
    def sizes(self) -> list[int]:
        return [len(batch.entries) for batch in self.asked]
