"""The job records: every change to jobs and steps is atomic (lua/basics.lua and what follows it)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.redis.pauses import is_paused
from adapter.redis.streams import Entry
from adapter.steps.cancellations import REVOKED
from adapter.steps.entries import ClaimedStep, entry_version, parse_entry, read_joined
from adapter.steps.history import AttemptNote
from adapter.steps.outcomes import Accepted, Committed
from adapter.steps.outline import write_outline
from adapter.steps.script import (
    HISTORY_TTL_S,
    SENTENCE_CHARS,
    JobScript,
    changed_job,
    cut_sentences,
    measures_of,
    new_job,
    position_of,
    problem_detail,
    stage_text,
)
from adapter.steps.versions import NewerRecordError
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import Job
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.plans import Plan
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.workflows import FETCH, LOCATE_STEP, NOTIFICATION, read_job, workflow_of

logger = structlog.get_logger(__name__)

MOST_RESTARTS = 3
"""How often a job begins anew, at most: while functions are exchanged, both versions may be asked in turn."""


class Records:
    """The job records in Redis. What concerns a step raises NewerRecordError if its record is of a newer version."""

    def __init__(self, redis: RedisClient, ttl_s: int, history_ttl_s: int = HISTORY_TTL_S) -> None:
        """Use a client that returns text.

        Args:
            redis: the jobs' database.
            ttl_s: seconds for which the record of an ended job is kept.
            history_ttl_s: seconds for which its attempts are kept.
        """
        self._redis = redis
        self.script = JobScript(redis, ttl_s, history_ttl_s)
        """Runs the operations."""

    async def accept(
        self, jobs: Sequence[Job], positions: Sequence[int] = (), traces: Sequence[str] = ()
    ) -> list[Accepted]:
        """Accept jobs, in order. A job whose id is already known has no effect.

        Args:
            jobs: what was requested.
            positions: the place of each in the order of all requests; none: they are newer than all that came before.
            traces: the `traceparent` of each, empty where there is none.
        """
        given: Sequence[int | None] = positions or [None] * len(jobs)
        begun = [{"traceparent": text} if text else {} for text in traces or [""] * len(jobs)]
        new = [new_job(job) | position_of(place) | more for job, place, more in zip(jobs, given, begun, strict=True)]
        answers = await self.script.run("accept", jobs=new, revocation=REVOKED.arguments)
        return [Accepted(*answer) for answer in answers]

    async def request(self, job: Job, private: Mapping[str, str]) -> Accepted:
        """Accept a job of a client of the runner API, unless one that does the same is in work.

        Args:
            job: what was requested; its target names the request.
            private: what only the notification gets to know, see `Step.private`.

        Returns:
            Its outcome is `accepted`, `joined` with the id of the job that is in work, or `duplicate` if this very job
            was accepted before.
        """
        new = new_job(job) | {"joins": True, "private": dict(private)}
        (answer,) = await self.script.run("accept", jobs=[new], revocation=REVOKED.arguments)
        return Accepted(*answer)

    async def note_fetched(self, job_id: str, file: str) -> None:
        """Note that a client has fetched a file of a job's result to its end."""
        await self.script.run("note_fetched", job=job_id, file=file)

    async def take(self, function: str, owner: str, count: int) -> tuple[list[Entry], str]:
        """Take up to `count` steps of a function, in fair turns over all jobs; they are in its stream from now on.

        Args:
            function: its name.
            owner: the adapter that takes them.
            count: how many at most; if there are fewer, no step is ready.

        Returns:
            Their entries, and the latest ring of the function's bell; see `Bell`.
        """
        entries, rung = await self.script.run("take", function=function, owner=owner, count=count)
        return [(entry_id, dict(zip(flat[::2], flat[1::2], strict=True))) for entry_id, flat in entries], rung

    async def is_paused(self, function: str) -> bool:
        """Whether operators have paused a function, or all."""
        return await is_paused(self._redis, function)

    async def ready_steps(self, function: str) -> int:
        """Count the steps that wait for their turn."""
        return int(await self._redis.hget(keys.turns_clock(function), "steps") or 0)

    async def join(self, steps: Sequence[ClaimedStep], owner: str = "") -> list[dict[str, Any] | None]:
        """Fetch what the functions need along with these steps, and note that they run.

        Args:
            steps: about to be delivered.
            owner: the adapter that delivers them.

        Returns:
            For each step the fields of contract.Step that come from the job, still as JSON text where they are
            objects; None for a step that is no longer open, whose entry is dropped.
        """
        wanted = [
            {
                **step.address,
                "needs": step.spec.needs,
                "action": step.spec.action,
                "attempt": step.attempt,
                "owner": owner,
                "private": step.function == NOTIFICATION.name,
            }
            for step in steps
        ]
        return [read_joined(answer) for answer in await self.script.run("join", steps=wanted)]

    async def find_closed(self, steps: Sequence[ClaimedStep]) -> frozenset[str]:
        """The entries of those of these steps that are no longer open: nobody waits for their replies."""
        return frozenset(await self.script.run("find_closed", entries=[step.address for step in steps]))

    async def commit(self, step: ClaimedStep, reply: StepReply, note: AttemptNote | None = None) -> Committed:
        """Store a step's reply and advance the job."""
        if isinstance(reply, Relocation):
            return await self.relocate(step, reply, note)
        plan: dict[str, Any] | None = None
        values = "{}"
        if isinstance(reply, Plan):
            weight = sum(spec.weight for stage in reply.stages for spec in stage.steps)
            stages = [stage_text(stage) for stage in reply.stages]
            plan = {"shared": json.dumps(reply.shared), "weight": weight, "stages": stages}
            plan |= {"measures": measures_of(reply)}
            # what these plan is no more than the job's first stage, or its last one
            if step.spec.action != FETCH and step.function != NOTIFICATION.name:
                plan |= {"outline": write_outline(reply.stages)}
            if reply.job is not None:
                plan |= {"job": changed_job(step.job_id, reply.job)}
        else:
            values = json.dumps(reply.values)
        outcome, age_s = await self.script.run(
            "commit",
            **step.address,
            action=step.spec.action,
            weight=step.spec.weight,
            values=values,
            log=cut_sentences(reply.log),
            **({"plan": plan} if plan else {}),
            **_ended(step, note),
        )
        return Committed(outcome, float(age_s))

    async def fail(self, step: ClaimedStep, problem: Problem, note: AttemptNote | None = None) -> str:
        """End a step that cannot be done.

        Returns:
            `failing` if the job goes on to report its failure, `failed` or `superseded` if it has ended,
            `duplicate` if the step was no longer open.
        """
        sentence = f"The step {step.spec.id} failed: {problem.detail}"[:SENTENCE_CHARS]
        (outcome,) = await self.script.run(
            "fail",
            **step.address,
            spec=step.spec.model_dump_json(),
            problem=problem.model_dump_json(),
            sentence=sentence,
            **_ended(step, note),
        )
        return str(outcome)

    async def restart(self, step: ClaimedStep, job: Job, problem: Problem) -> bool:
        """Begin a job anew of whose plan and results its function can use nothing. False if it cannot be.

        Args:
            step: at which this was found.
            job: its job.
            problem: what the function said.
        """
        new = new_job(job)
        (outcome,) = await self.script.run(
            "restart",
            **step.address,
            weight=new["weight"],
            first_stage=new["first_stage"],
            limit=MOST_RESTARTS,
            sentence=f"The job is planned anew: {problem.detail}"[:SENTENCE_CHARS],
        )
        return bool(outcome in {"restarted", "duplicate"})

    async def schedule_retry(self, step: ClaimedStep, trouble: str, note: AttemptNote | None = None) -> bool:
        """Make a step wait for its next attempt; this attempt counts. False if the step was no longer open."""
        (outcome,) = await self.script.run("schedule_retry", **step.address, trouble=trouble, **_ended(step, note))
        return bool(outcome == "scheduled")

    async def miss_source(self, step: ClaimedStep, trouble: str, *, is_last: bool) -> str:
        """Make a step that does not find its job's source wait until whoever requested the job has been asked.

        Returns:
            `asked`, `waiting` (that is under way), `exhausted` (it was the last attempt; nothing was done), or
            `duplicate` if the step was no longer open.
        """
        question = LOCATE_STEP.model_dump_json()
        (outcome,) = await self.script.run(
            "miss_source",
            **step.address,
            attempt=step.attempt,
            is_last=is_last,
            question=question,
            trouble=trouble,
        )
        return str(outcome)

    async def relocate(self, step: ClaimedStep, reply: Relocation, note: AttemptNote | None = None) -> Committed:
        """Store where the source is: the job goes on there, or as it was, or is cancelled."""
        changes: dict[str, Any] = {}
        if reply.whereabouts is Whereabouts.MOVED:
            changes["params"] = reply.job.model_dump_json()
        if reply.whereabouts is Whereabouts.DELETED:
            changes["withdraw_stages"] = [stage_text(stage) for stage in workflow_of(reply.job).withdraw_stages]
        changes |= _ended(step, note)
        outcome, age_s = await self.script.run("relocate", **step.address, log=cut_sentences(reply.log), **changes)
        return Committed(outcome, float(age_s))

    async def answer_nothing(self, step: ClaimedStep, problem: Problem) -> None:
        """Store that nobody knows where the source is: the job goes on as it was."""
        await self.script.run(
            "relocate", **step.address, log=cut_sentences([f"The video was not found: {problem.detail}"])
        )

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
        outcome, cost_s = await self.script.run(
            "hold",
            **step.address,
            owner=owner,
            attempts=step.attempt - 1,
            trouble=trouble,
            counted_s=round(counted_s, 3),
        )
        return float(cost_s) if outcome == "held" else None

    async def job(self, job_id: str) -> Job | None:
        """What was requested; None if the job is gone, or was stored by a version that is not understood."""
        try:
            return read_job(json.loads(await self._redis.hget(keys.job(job_id), "params") or "null"))
        except ValueError:
            return None

    async def trouble(self, job_id: str) -> str:
        """Why the latest attempt of one of the job's steps failed; empty if nothing is known."""
        return problem_detail(await self._redis.hget(keys.job(job_id), "trouble") or "")

    async def read_entry(
        self, function: str, entry_id: str, fields: dict[str, str], attempt: int
    ) -> ClaimedStep | None:
        """Read an entry of a function's stream.

        Returns:
            None for one that is not a step, which becomes a dead letter, and for one of a newer version, which is left.
        """
        try:
            return parse_entry(function, entry_id, fields, attempt)
        except ValueError as error:
            reason = str(error)
        problem = Problem(title="The entry is not a step.", status=400, detail=reason).model_dump_json()
        about = {"function": function, "entry": entry_id, "version": entry_version(fields)}
        try:
            await self.script.run("dead_letter_entry", **about, raw=json.dumps(fields), problem=problem)
        except NewerRecordError as error:
            logger.error(str(error), function=function)  # noqa: TRY400 - not a fault of ours
            return None
        logger.error("An entry that is not a step has become a dead letter.", function=function, reason=reason)
        return None


def _ended(step: ClaimedStep, note: AttemptNote | None) -> dict[str, Any]:
    return {"ended": note.about(step)} if note else {}
