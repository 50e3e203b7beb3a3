"""Stand-ins for all functions over real HTTP: they answer plans, results and errors as a seeded script says.

What each commit of a step leaves in the job's log is the sentence `committed_sentence`, so that two are seen.
"""

import asyncio
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent, from_http

from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.statements import REPORT_EVENT_TYPE, BatchReport, Refusal, StatementBatch
from podjobs.contract.steps import Step
from podjobs.contract.workflows import workflow_of
from support.problems import problem, problem_answer
from support.serving import serving
from support.step_function import reply_event

SHORT_TIMEOUT_S, LONG_TIMEOUT_S = 1, 60
"""Of the steps that may hang, and of the others: an adapter that was stopped for a while still gets their answers."""
REFUSED_EACH = 50
"""Every so many-th statement is refused."""
PLAIN = (("ok", 64), ("slow", 20), ("500", 5), ("503", 5), ("break", 4), ("lost", 2))
"""What any step may end with, and how often: `lost` is done, but its answer does not arrive."""
WORK = (*PLAIN, ("422", 1))
"""What the steps of a plan may end with."""
HURRIED = (*WORK, ("hang", 5))
"""What those of them may end with that have little time."""


def committed_sentence(step_id: str) -> str:
    """What a job's log says about the commit of a step."""
    return f"Committed: {step_id}."


def is_refused(number: int) -> bool:
    """Whether the statement of that number is refused."""
    return number % REFUSED_EACH == 0


class CampaignFunctions:
    """Answers for encoding, transcription, notification and xapi; remembers what they have done."""

    def __init__(self, seed: int, hang_s: float = SHORT_TIMEOUT_S * 3) -> None:
        """Nothing is served yet, see `serving_functions`.

        Args:
            seed: of what is answered.
            hang_s: how long those hang that do; longer than their time-out.
        """
        self._seed = seed
        self._hang_s = hang_s
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.outcomes: Counter[str] = Counter()
        """How often each outcome was answered."""
        self.notified: Counter[str] = Counter()
        """How often the sender of each job was notified, with an answer or without."""
        self.accepted: Counter[str] = Counter()
        """How often each statement was accepted, by its id."""
        self.refused: set[str] = set()
        self.healthy = False
        """From now on, everything succeeds at once."""

    async def handle_step(self, request: web.Request) -> web.StreamResponse:
        """Perform a step as the script says."""
        step = Step.model_validate(from_http(dict(request.headers), await request.read()).data)
        is_work = step.action in {"chunk", "package", "part", "captions"}
        possible = HURRIED if step.timeout_s == SHORT_TIMEOUT_S else WORK if is_work else PLAIN
        outcome, chance = self._draw(f"{step.job.id}/{step.step_id}", possible)
        await asyncio.sleep(chance.uniform(0.2, 0.9) if outcome == "slow" else chance.uniform(0, 0.02))
        if outcome == "hang":
            await asyncio.sleep(self._hang_s)
        if outcome in {"500", "422"}:
            return problem_answer(int(outcome))
        if outcome == "503":
            return web.Response(status=503, headers={"Retry-After": "0.2"})
        if outcome != "break" and step.function == "notification":
            with self._lock:
                self.notified[step.job.id] += 1
        if outcome in {"break", "lost"}:
            return _broken(request)
        return reply_event(_plan(step, chance) if step.action == "plan" else Result(log=_log(step)))

    async def handle_batch(self, request: web.Request) -> web.StreamResponse:
        """Take a batch of statements as the script says."""
        batch = StatementBatch.model_validate(from_http(dict(request.headers), await request.read()).data)
        outcome, chance = self._draw("batch", PLAIN)
        await asyncio.sleep(chance.uniform(0.2, 0.9) if outcome == "slow" else chance.uniform(0, 0.02))
        if outcome == "500":
            return problem_answer(500)
        if outcome == "503":
            return web.Response(status=503, headers={"Retry-After": "0.2"})
        if outcome == "break":
            return _broken(request)
        report = self._take(batch)
        if outcome == "lost":
            return _broken(request)
        event = CloudEvent({"type": REPORT_EVENT_TYPE, "source": "/campaign"}, report.model_dump(mode="json"))
        headers, body = to_binary(event)
        return web.Response(body=body, headers=headers)

    def _take(self, batch: StatementBatch) -> BatchReport:
        accepted, refused = [], []
        with self._lock:
            for entry in batch.entries:
                statement_id = entry.statement["id"]
                if is_refused(entry.statement["n"]):
                    self.refused.add(statement_id)
                    refused.append(Refusal(entry_id=entry.entry_id, problem=problem(400)))
                else:
                    self.accepted[statement_id] += 1
                    accepted.append(entry.entry_id)
        return BatchReport(accepted=tuple(accepted), refused=tuple(refused))

    def _draw(self, subject: str, outcomes: tuple[tuple[str, int], ...]) -> tuple[str, random.Random]:
        """What the next call about a subject ends with."""
        with self._lock:
            self._calls[subject] += 1
            chance = random.Random(f"{self._seed} {subject} {self._calls[subject]}")
            outcome = chance.choices([name for name, _ in outcomes], [weight for _, weight in outcomes])[0]
            outcome = "ok" if self.healthy else outcome
            self.outcomes[outcome] += 1
        return outcome, chance


def _broken(request: web.Request) -> web.Response:
    """Close the connection in place of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _log(step: Step) -> tuple[str, ...]:
    return (committed_sentence(step.step_id),)


def _plan(step: Step, chance: random.Random) -> Plan:
    """The plan of a job: some steps in parallel, one that joins them, the notification."""
    function = step.function
    many, one = ("chunk", "package") if function == "encoding" else ("part", "captions")
    steps: dict[str, list[StepSpec]] = defaultdict(list)
    for action, count in ((many, chance.randint(1, 8)), (one, 1)):
        for number in range(count):
            timeout_s = chance.choice((SHORT_TIMEOUT_S, LONG_TIMEOUT_S, LONG_TIMEOUT_S))
            spec = StepSpec(id=f"{action}-{number}", function=function, action=action, timeout_s=timeout_s)
            steps[action].append(spec)
    stages = tuple(Stage(name=action, steps=tuple(specs)) for action, specs in steps.items())
    return Plan(stages=(*stages, workflow_of(step.job).notification_stage), log=_log(step))


@contextmanager
def serving_functions(functions: CampaignFunctions) -> Iterator[dict[str, str]]:
    """Serve all functions; yields the adapter's settings that name their addresses."""
    application = web.Application(client_max_size=1 << 24)
    names = ("encoding", "transcription", "notification")
    application.add_routes([web.post(f"/{name}", functions.handle_step) for name in names])
    application.add_routes([web.post("/xapi", functions.handle_batch)])
    with serving(application) as url:
        yield {f"PODJOBS_FUNCTION_URL_{name.upper()}": f"{url}/{name}" for name in (*names, "xapi")}
