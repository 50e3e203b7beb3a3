"""The job records: every change to jobs and steps is atomic (lua/basics.lua and what follows it)."""

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from podjobs.contract.errors import Problem
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Job
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.steps import Step
from podjobs.contract.workflows import LOCATE_STEP, read_job, workflow_of

logger = structlog.get_logger(__name__)

_STATES = ", ".join(f"{state} = '{state}'" for state in JobState)
_PARTS = [
    Path(__file__).parent / "lua" / f"{part}.lua" for part in ("basics", "steps", "jobs", "relocation", "operations")
]
_SCRIPT = "\n".join([f"local STATE = {{ {_STATES} }}", *(part.read_text(encoding="utf-8") for part in _PARTS)])
_LOG_SENTENCE_CHARS = 2000


@dataclass(frozen=True, slots=True)
class ClaimedStep:
    """A step this adapter owns: an entry of a function's stream."""

    function: str
    entry_id: str
    job_id: str
    spec: StepSpec
    attempt: int

    @property
    def address(self) -> dict[str, str]:
        """What the script needs to find the step."""
        return {"function": self.function, "entry": self.entry_id, "job": self.job_id, "step": self.spec.id}


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """How much of a job is in the streams, and how long ended jobs are kept."""

    window: int
    """Steps of one job in the streams at once."""
    ttl_s: int
    """Seconds for which the record of an ended job is kept."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of accepting a job."""

    outcome: str
    """`accepted` or `duplicate`; for a replay also `gone` or the state that forbids it."""
    superseded_id: str
    """The older job for the same target, or an empty string."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did to the job."""

    outcome: str
    """`continued`, `done`, `failed`, `superseded`, `cancelled`, or `duplicate` if the step was no longer open."""
    age_s: float
    """Seconds since the job was accepted."""


class Records:
    """The job records in Redis."""

    def __init__(self, redis: RedisClient, limits: RecordLimits) -> None:
        """Use a client that returns text."""
        self._redis = redis
        self._limits = asdict(limits)
        self._script = redis.register_script(_SCRIPT)

    async def accept(self, jobs: Sequence[Job]) -> list[Accepted]:
        """Accept jobs, in order. A job whose id is already known has no effect."""
        answers = await self._run("accept", jobs=[_new_job(job) for job in jobs])
        return [Accepted(*answer) for answer in answers]

    async def join(self, steps: Sequence[ClaimedStep]) -> list[dict[str, Any] | None]:
        """Fetch what the functions need along with these steps.

        Returns:
            For each step the fields of contract.Step that come from the job, still as JSON text where they are
            objects; None for a step that is no longer open, whose entry is dropped.
        """
        wanted = [{**step.address, "needs": step.spec.needs} for step in steps]
        return [_joined(answer) for answer in await self._run("join", steps=wanted)]

    async def commit(self, step: ClaimedStep, reply: Plan | Result) -> Committed:
        """Store a step's reply and advance the job."""
        plan = None
        values = "{}"
        if isinstance(reply, Plan):
            weight = sum(spec.weight for stage in reply.stages for spec in stage.steps)
            stages = [_stage(stage) for stage in reply.stages]
            plan = {"shared": json.dumps(reply.shared), "weight": weight, "stages": stages}
        else:
            values = json.dumps(reply.values)
        outcome, age_s = await self._run(
            "commit",
            **step.address,
            action=step.spec.action,
            weight=step.spec.weight,
            values=values,
            log=_cut_log(reply.log),
            **({"plan": plan} if plan else {}),
        )
        return Committed(outcome, float(age_s))

    async def fail(self, step: ClaimedStep, problem: Problem) -> str:
        """End a step that cannot be done.

        Returns:
            `failing` if the job goes on to report its failure, `failed` or `superseded` if it has ended,
            `duplicate` if the step was no longer open.
        """
        sentence = f"The step {step.spec.id} failed: {problem.detail}"[:_LOG_SENTENCE_CHARS]
        (outcome,) = await self._run(
            "fail",
            **step.address,
            spec=step.spec.model_dump_json(),
            problem=problem.model_dump_json(),
            sentence=sentence,
        )
        return str(outcome)

    async def schedule_retry(self, step: ClaimedStep, trouble: str) -> bool:
        """Make a step wait for its next attempt; this attempt counts. False if the step was no longer open."""
        (outcome,) = await self._run("schedule_retry", **step.address, trouble=trouble)
        return bool(outcome == "scheduled")

    async def miss_source(self, step: ClaimedStep, trouble: str, *, is_last: bool) -> str:
        """Make a step that does not find its job's source wait until whoever requested the job has been asked.

        Returns:
            `asked`, `waiting` (that is under way), `exhausted` (it was the last attempt; nothing was done), or
            `duplicate` if the step was no longer open.
        """
        question = LOCATE_STEP.model_dump_json()
        (outcome,) = await self._run(
            "miss_source",
            **step.address,
            attempt=step.attempt,
            is_last=is_last,
            question=question,
            trouble=trouble,
        )
        return str(outcome)

    async def relocate(self, step: ClaimedStep, reply: Relocation) -> Committed:
        """Store where the source is: the job goes on there, or as it was, or is cancelled."""
        changes: dict[str, Any] = {}
        if reply.whereabouts is Whereabouts.MOVED:
            changes["params"] = reply.job.model_dump_json()
        if reply.whereabouts is Whereabouts.DELETED:
            changes["withdraw_stages"] = [_stage(stage) for stage in workflow_of(reply.job).withdraw_stages]
        outcome, age_s = await self._run("relocate", **step.address, log=_cut_log(reply.log), **changes)
        return Committed(outcome, float(age_s))

    async def answer_nothing(self, step: ClaimedStep, problem: Problem) -> None:
        """Store that nobody knows where the source is: the job goes on as it was."""
        await self._run("relocate", **step.address, log=_cut_log([f"The video was not found: {problem.detail}"]))

    async def hold(self, step: ClaimedStep, owner: str, trouble: str, counted_s: float = 0.0) -> float | None:
        """Put a step on hold; this attempt does not count.

        Args:
            step: the claimed step.
            owner: the adapter that keeps it.
            trouble: why, a Problem as JSON.
            counted_s: seconds to add to what «not now» has cost this step so far, with any adapter.

        Returns:
            What it has cost so far; None if the step was no longer open.
        """
        outcome, cost_s = await self._run(
            "hold",
            **step.address,
            owner=owner,
            attempts=step.attempt - 1,
            trouble=trouble,
            counted_s=round(counted_s, 3),
        )
        return float(cost_s) if outcome == "held" else None

    async def replay(self, job: Job, letter_id: str) -> Accepted:
        """Run a failed job anew and remove its dead letter."""
        return Accepted(*await self._run("replay", job=_new_job(job), dead_letter=letter_id))

    async def trouble(self, job_id: str) -> str:
        """Why the latest attempt of one of the job's steps failed; empty if nothing is known."""
        return problem_detail(await self._redis.hget(keys.job(job_id), "trouble") or "")

    async def read_entry(
        self, function: str, entry_id: str, fields: dict[str, str], attempt: int
    ) -> ClaimedStep | None:
        """Read an entry of a function's stream; None for one that is not a step, which becomes a dead letter."""
        try:
            return parse_entry(function, entry_id, fields, attempt)
        except ValueError as error:
            problem = Problem(title="The entry is not a step.", status=400, detail=str(error)).model_dump_json()
            raw = json.dumps(fields)
            await self._run("dead_letter_entry", function=function, entry=entry_id, raw=raw, problem=problem)
            logger.error("An entry that is not a step has become a dead letter.", function=function, reason=str(error))  # noqa: TRY400 - not a fault of ours
            return None

    async def _run(self, operation: str, **arguments: Any) -> Any:
        return await self._script(keys=[keys.PREFIX], args=[operation, json.dumps({**self._limits, **arguments})])


def _cut_log(log: Sequence[str]) -> list[str]:
    return [sentence[:_LOG_SENTENCE_CHARS] for sentence in log]


def _stage(stage: Stage) -> str:
    return json.dumps({"name": stage.name, "steps": [spec.model_dump_json() for spec in stage.steps]})


def _new_job(job: Job) -> dict[str, Any]:
    workflow = workflow_of(job)
    first = workflow.first_stage
    return {
        "id": job.id,
        "type": job.type,
        "target": job.target,
        "params": job.model_dump_json(),
        "weight": sum(spec.weight for spec in first.steps),
        "first_stage": _stage(first),
        "failure_stages": [_stage(stage) for stage in workflow.failure_stages],
        "discard_stages": [_stage(stage) for stage in workflow.discard_stages],
    }


def _joined(answer: Sequence[Any] | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    params, shared, error, accepted_at, flat, unreported = answer
    results = {name.partition("/")[2]: values for name, values in zip(flat[::2], flat[1::2], strict=True)}
    return {
        "params": params,
        "shared": shared,
        "error": error,
        "unreported": unreported,
        "accepted_at": accepted_at,
        "results": results,
    }


@functools.lru_cache(maxsize=256)
def _read_params(params: str) -> Job:
    """Read a stored job; cached, since a job has many steps and does not change."""
    return read_job(json.loads(params))


def assemble_step(step: ClaimedStep, joined: dict[str, Any]) -> Step:
    """Assemble the step that a function receives.

    Args:
        step: the claimed step.
        joined: what Records.join returned for it.

    Raises:
        ValueError: the record does not match the contract, as after an upgrade; a retry does not help.
    """
    spec, shared, error = step.spec, joined["shared"], joined["error"]
    return Step(
        job=_read_params(joined["params"]),
        step_id=spec.id,
        function=spec.function,
        action=spec.action,
        params=spec.params,
        shared=json.loads(shared) if shared else {},
        results={step_id: json.loads(values) for step_id, values in joined["results"].items()},
        failure=_failure(error, joined["unreported"]) if error else None,
        attempt=step.attempt,
        timeout_s=spec.timeout_s,
        accepted_at=float(joined["accepted_at"]),
    )


def _failure(error: str, unreported: str | None) -> Problem:
    """Why a job failed and, if that could not be reported, why not."""
    problem = Problem.model_validate_json(error)
    if not unreported:
        return problem
    reason = problem_detail(unreported)
    return problem.model_copy(update={"detail": f"{problem.detail} The report could not be left for Pod: {reason}"})


def parse_entry(function: str, entry_id: str, fields: dict[str, str], attempt: int) -> ClaimedStep:
    """Parse an entry of a function's stream.

    Raises:
        ValueError: it is not a step.
    """
    try:
        spec = StepSpec.model_validate_json(fields["step"])
        return ClaimedStep(function, entry_id, fields["job"], spec, attempt)
    except (KeyError, ValidationError) as error:
        raise ValueError(f"The entry {entry_id} of the stream {keys.steps(function)} is not a step: {error}") from error


def problem_detail(problem: str) -> str:
    """The detail of a problem stored as JSON; any other text is returned unchanged."""
    try:
        return str(json.loads(problem)["detail"])
    except (ValueError, KeyError, TypeError):
        return problem
