"""The script that changes jobs and steps (lua/basics.lua and what follows it), and the form in which it takes them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.steps.versions import RECORD_VERSION, NewerRecordError
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Job
from podjobs.contract.plans import Plan, Stage
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.workflows import NOTIFY, read_job, workflow_of

_STATES = ", ".join(f"{state} = '{state}'" for state in JobState)
_PARTS = ("basics", "history", "pace", "turns", "steps", "jobs", "relocation", "retention", "operations")
_LUA = [(Path(__file__).parent / "lua" / f"{part}.lua").read_text(encoding="utf-8") for part in _PARTS]
_NAMES = f"local STATE = {{ {_STATES} }}\nlocal VERSION = {RECORD_VERSION}\nlocal NOTIFY = '{NOTIFY}'"
_SCRIPT = "\n".join([_NAMES, *_LUA])


SENTENCE_CHARS = 2000
"""Of a sentence in a job's log."""
HISTORY_TTL_S = 7 * 86_400
"""How long the attempts of an ended job are kept, unless it is set."""


class JobScript:
    """Runs the script's operations, each of them atomically."""

    def __init__(self, redis: RedisClient, ttl_s: int, history_ttl_s: int) -> None:
        """Use a client of the jobs' database that returns text; the times are those of Records."""
        self._kept = {"ttl_s": ttl_s, "history_ttl_s": history_ttl_s}
        self._script = redis.register_script(_SCRIPT)

    async def run(self, operation: str, **arguments: Any) -> Any:
        """Run an operation.

        Args:
            operation: one of those in lua/operations.lua.
            arguments: what it takes.

        Raises:
            NewerRecordError: what it concerns was written by a newer version; nothing was changed.
            RedisError: nobody knows whether it was done; it may be repeated.
        """
        answer = await self._script(
            keys=[keys.PREFIX, keys.NEVER], args=[operation, json.dumps({**self._kept, **arguments})]
        )
        if answer[:1] == ["newer"]:
            raise NewerRecordError(answer[1])
        return answer


def stage_text(stage: Stage) -> str:
    """Write a stage as the script stores it."""
    return json.dumps({"name": stage.name, "steps": [spec.model_dump_json() for spec in stage.steps]})


def new_job(job: Job) -> dict[str, Any]:
    """Write a job that begins, as the script takes it."""
    workflow = workflow_of(job)
    first = workflow.first_stage_of(job)
    return {
        "id": job.id,
        "type": job.type,
        "target": job.target,
        "params": job.model_dump_json(),
        "weight": sum(spec.weight for spec in first.steps),
        "first_stage": stage_text(first),
        **({"client": job.reply_to.client} if isinstance(job.reply_to, RunnerCallback) else {}),
        **_endings_of(job),
    }


def changed_job(job_id: str, changed: dict[str, Any]) -> dict[str, Any]:
    """Write a job as its plan changes it, as the script takes it.

    Args:
        job_id: of the job that is planned.
        changed: how it goes on, perhaps as one of another type.

    Raises:
        ValueError: it is not a job, or another one.
    """
    job = read_job(changed)
    if job.id != job_id:
        raise ValueError(f"the plan changes the job {job_id} into another one, {job.id}")
    return {"params": job.model_dump_json(), **_endings_of(job)}


def _endings_of(job: Job) -> dict[str, Any]:
    workflow = workflow_of(job)
    return {
        "failure_stages": [stage_text(stage) for stage in workflow.failure_stages],
        "discard_stages": [stage_text(stage) for stage in workflow.discard_stages],
    }


def position_of(place: int | None) -> dict[str, str]:
    """Write the place of a request in the order of all requests."""
    # as text: a double would lose digits
    return {} if place is None else {"position": str(place)}


def measures_of(plan: Plan) -> list[str]:
    """What a plan says of the media, for operators, as far as it is known: names and numbers in turn."""
    found = {"media_s": round(plan.media_s, 3), "source_bytes": plan.source_bytes}
    return [text for name, value in found.items() if value for text in (name, str(value))]


def cut_sentences(log: Iterable[str]) -> list[str]:
    """Write sentences for a job's log; what is very long is cut."""
    return [sentence[:SENTENCE_CHARS] for sentence in log]


def problem_detail(problem: str) -> str:
    """The detail of a problem stored as JSON; any other text is returned unchanged."""
    try:
        return str(json.loads(problem)["detail"])
    except (ValueError, KeyError, TypeError):
        return problem
