"""A stand-in for the function `xapi` that answers batches of statements as a test says."""

import asyncio
import time
from dataclasses import dataclass, field

from aiohttp import web
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent, from_http

from podjobs.contract.statements import REPORT_EVENT_TYPE, BatchReport, StatementBatch


def numbers(batch):
    return [entry.statement["n"] for entry in batch.entries]


def accept_all(batch):
    return BatchReport(accepted=tuple(entry.entry_id for entry in batch.entries))


@dataclass
class FakeXapiFunction:
    """Answers batches as the test says, from a list first, then by its judge."""

    answers: list = field(default_factory=list)
    judge: object = accept_all
    takes_s: float = 0
    asked: list = field(default_factory=list)
    accepted: list = field(default_factory=list)
    at: list = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def handle(self, request):
        batch = StatementBatch.model_validate(from_http(dict(request.headers), await request.read()).data)
        self.asked.append(batch)
        self.at.append(time.monotonic())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else self.judge(batch)
        if answer == "break":
            request.transport.abort()
            return web.Response()
        if not isinstance(answer, BatchReport):
            return answer
        named = {entry.entry_id: entry.statement["n"] for entry in batch.entries}
        self.accepted += [named[entry_id] for entry_id in answer.accepted if entry_id in named]
        event = CloudEvent({"type": REPORT_EVENT_TYPE, "source": "/f"}, answer.model_dump(mode="json"))
        headers, body = to_binary(event)
        return web.Response(body=body, headers=headers)

    @property
    def sizes(self):
        return [len(batch.entries) for batch in self.asked]
