"""Entries of the functions' streams: what one holds, and how it becomes the step that a function receives."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from adapter.redis import keys
from adapter.steps.versions import RECORD_VERSION, UNVERSIONED, NewerRecordError
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import Job
from podjobs.contract.plans import StepSpec
from podjobs.contract.steps import Step
from podjobs.contract.traces import job_context
from podjobs.contract.workflows import read_job


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


@functools.lru_cache(maxsize=256)
def _read_params(params: str) -> Job:
    """Read a stored job; cached, since a job has many steps and does not change."""
    return read_job(json.loads(params))


def read_joined(answer: Sequence[Any] | None) -> dict[str, Any] | None:
    """Name what the script returned for a step, see Records.join."""
    if answer is None:
        return None
    params, shared, error, accepted_at, flat, unreported, traceparent, *private = answer
    results = {name.partition("/")[2]: values for name, values in zip(flat[::2], flat[1::2], strict=True)}
    return {
        "params": params,
        "shared": shared,
        "error": error,
        "unreported": unreported,
        "accepted_at": accepted_at,
        "results": results,
        "traceparent": traceparent or "",
        "private": _read_private(*private) if private else {},
    }


def _read_private(flat: Sequence[str], fetched: Sequence[str], now_s: str) -> dict[str, str]:
    """Name what only the notification gets to know; nothing for a job of whose client nothing is kept.

    It gets to know ages, not times: its clock may be another one.
    """
    private = dict(zip(flat[::2], flat[1::2], strict=True))
    if not private:
        return {}
    answered_s = float(now_s) - float(private.pop("answered_at"))
    ages = {name: round(float(now_s) - float(at_s), 3) for name, at_s in zip(fetched[::2], fetched[1::2], strict=True)}
    return private | {"answered_s_ago": f"{answered_s:.3f}", "fetched": json.dumps(ages)}


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
        private=joined["private"],
        attempt=step.attempt,
        timeout_s=spec.timeout_s,
        accepted_at=float(joined["accepted_at"]),
        entry_id=step.entry_id,
        traceparent=job_context(step.job_id, joined["traceparent"]).child().traceparent,
        requested_in=joined["traceparent"],
    )


def _failure(error: str, unreported: str | None) -> Problem:
    """Why a job failed and, if that could not be reported, why not."""
    problem = Problem.model_validate_json(error)
    if not unreported:
        return problem
    reason = Problem.model_validate_json(unreported).detail
    return problem.model_copy(update={"detail": f"{problem.detail} The report could not be left for Pod: {reason}"})


def entry_version(fields: dict[str, str]) -> int:
    """The version of the records in which an entry was written."""
    version = fields.get("version", "")
    return int(version) if version.isdecimal() else UNVERSIONED


def parse_entry(function: str, entry_id: str, fields: dict[str, str], attempt: int) -> ClaimedStep:
    """Parse an entry of a function's stream.

    Raises:
        ValueError: it is not a step, or of a newer version.
    """
    if (version := entry_version(fields)) > RECORD_VERSION:
        raise ValueError(str(NewerRecordError(version)))
    try:
        spec = StepSpec.model_validate_json(fields["step"])
        return ClaimedStep(function, entry_id, fields["job"], spec, attempt)
    except (KeyError, ValidationError) as error:
        raise ValueError(f"The entry {entry_id} of the stream {keys.steps(function)} is not a step: {error}") from error
