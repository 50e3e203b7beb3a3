"""What a job waits for, in sentences that name the remedy. Pure."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from adapter.inspection.forecast.model import next_attempt_s
from adapter.inspection.forecast.snapshot import FunctionQueue, LiveJob, Snapshot, StepInStream
from adapter.inspection.job_record import JobRecord
from adapter.plurals import counted
from adapter.redis import keys
from adapter.steps.outline import read_outline
from podjobs.contract.job_states import JobState

SHUT_OUT = {401, 403}
"""Statuses of which only an operator can relieve the steps, as in adapter/steps/holding.py."""


def explain_ended(record: JobRecord) -> list[str]:
    """What became of a job that has ended."""
    at = clock(record.number("ended_at"), record.number("ended_at"))
    match record.state:
        case JobState.DONE:
            return [f"It is done since {at}."]
        case JobState.FAILED:
            return [f"It has failed at {at}: {_dot(record.reason)} `podjobs retry {record.id}` runs it anew."]
        case JobState.CANCELLED:
            by = record.fields.get("cancelled_by") or "Pod, for its video was deleted"
            return [f"It was cancelled at {at} by {by}. `podjobs retry {record.id}` runs it anew."]
        case _:
            return [f"It ended at {at}: a newer job for the same video has superseded it."]


def explain_live(snapshot: Snapshot, job: LiveJob, record: JobRecord) -> list[str]:
    """Why a job is not done yet.

    Args:
        snapshot: what there is.
        job: the job in it.
        record: its record.
    """
    steps = [step for queue in snapshot.functions.values() for step in queue.steps if step.job_id == job.id]
    found = [*_state(job, record), _progress(job, steps, snapshot.now_s)]
    if job.misses_source:
        found.append("It waits until the place of its source is known: Pod has been asked where the video is now.")
    if not snapshot.adapters:
        return [*found, "No adapter runs: nothing is done. Start one with `podjobs run`, or scripts/up."]
    for name in job.ready:
        if name in snapshot.functions:
            found += _turn(snapshot, snapshot.functions[name])
    for step in steps:
        found += _step(step, snapshot, record)
    return found


def explain_ready(ready_at: float | None, now_s: float) -> str:
    """When it will be ready."""
    if ready_at is None:
        return "Nobody can say when it will be ready as long as that lasts."
    return f"It will be ready at about {clock(ready_at, now_s)}, in {duration(ready_at - now_s)}."


def clock(at_s: float, now_s: float) -> str:
    """A time of the local clock, with its date if that is not today's."""
    at, now = (datetime.fromtimestamp(time_s, tz=UTC).astimezone() for time_s in (at_s, now_s))
    return at.strftime("%H:%M" if at.date() == now.date() else "%Y-%m-%d %H:%M")


def duration(seconds: float) -> str:
    """A duration, as 40 s, 12 min, 3 h 20 min or 2 d 5 h."""
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - a minute and a half
        return f"{max(1, round(seconds))} s"
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004 - a day
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def _state(job: LiveJob, record: JobRecord) -> Iterator[str]:
    match job.state:
        case JobState.FAILING if record.fields.get("cancelled_by"):
            yield f"It was cancelled by {record.fields['cancelled_by']}; Pod is being told."
        case JobState.FAILING:
            yield f"It has failed, and Pod is being told: {_dot(record.reason)}"
        case JobState.SUPERSEDED:
            yield "A newer job for the same video has superseded it: its work files are being removed."
        case JobState.CANCELLED:
            yield "Its video was deleted in Pod: its files are being removed."


def _progress(job: LiveJob, steps: Sequence[StepInStream], now_s: float) -> str:
    running = [step for step in steps if step.since_s is not None]
    waiting = sum(job.ready.values())
    parts = []
    if running:
        longest = min(running, key=lambda step: step.since_s or now_s)
        ran = duration(now_s - (longest.since_s or now_s))
        parts.append(f"{counted(len(running), 'runs', 'run')} (longest: {longest.step}, for {ran})")
    if waiting:
        parts.append(counted(waiting, "waits for its turn", "wait for their turns"))
    doing = ", ".join(parts) or "none runs"
    total, done = count_steps(job, len(steps))
    if total is None:
        return f"It is not planned yet, so nobody knows how many steps it has: {doing}."
    return f"{done} of {counted(total, 'step is', 'steps are')} done; {doing}."


def count_steps(job: LiveJob, in_stream: int) -> tuple[int | None, int]:
    """How many steps a job has, and how many of them are done; None: it is not planned."""
    if not job.outline or job.state not in {JobState.QUEUED, JobState.RUNNING}:
        return None, 0
    outline = read_outline(job.outline)
    counts = [sum(group.count for group in stage.groups) for stage in outline]
    to_come = sum(counts[len(counts) - job.stages_left :])
    total = sum(counts) + 1  # the plan itself
    return total, max(0, total - to_come - sum(job.ready.values()) - in_stream)


def _turn(snapshot: Snapshot, queue: FunctionQueue) -> Iterator[str]:
    """Why a function's turn has not come."""
    name = queue.name
    if queue.pause:
        by = f" by {queue.pause.by}" if queue.pause.by else ""
        why = f" ({queue.pause.reason})" if queue.pause.reason else ""
        since = clock(queue.pause.since_s, snapshot.now_s)
        command = f"podjobs resume {name if queue.pause.function == name else keys.ALL_FUNCTIONS}"
        yield f"The function {name} is paused since {since}{by}{why}: `{command}` lets it go on."
    elif queue.workers == 0:
        yield f"The function {name} has no workers: start one with `podjobs worker {name}`."
    elif not queue.slots:
        if any(name in about.slots for about in snapshot.adapters):
            yield f"All adapters that invoke the function {name} are being drained: start another one."
        else:
            yield f"No adapter invokes the function {name}: set PODJOBS_FUNCTION_URL_{name.upper()}."
    else:
        taken = sum(not step.is_waiting for step in queue.steps)
        others = len(queue.turns) - 1
        slots = counted(queue.slots, "slot is", "slots are all")
        if taken >= queue.slots:
            jobs = counted(others, "other job shares", "other jobs share") if others > 0 else "It has"
            yield f"{jobs} the function {name}, whose {slots} in use."
        else:
            yield f"A slot of the function {name} is free: its turn is about to come."


def _step(step: StepInStream, snapshot: Snapshot, record: JobRecord) -> Iterator[str]:
    """What keeps a step whose turn has come."""
    queue, name, trouble = snapshot.functions[step.function], step.function, _dot(record.reason)
    if step.is_waiting:
        if step.owner == keys.RETURNED:
            yield f"The step {step.step} was given back by an adapter that stopped: the next free slot takes it."
            return
        at = clock(snapshot.now_s + next_attempt_s(step, queue), snapshot.now_s)
        number = f"{step.attempts + 1}{_ordinal(step.attempts + 1)} attempt"
        yield f"The step {step.step} waits until {at} for its {number}: {trouble}"
        if queue.pause:
            yield f"Its function {name} is paused: `podjobs resume {name}` lets it go on."
    elif step.owner not in {about.id for about in snapshot.adapters}:
        yield f"The adapter {step.owner} no longer answers: another one will do its step {step.step}."
    elif step.is_on_hold:
        status = record_status(record)
        if status in SHUT_OUT:
            yield f"The function {name} refuses the adapter ({status}), and keeps the step {step.step}: {trouble}"
        else:
            yield f"The function {name} is busy. The step {step.step} is delivered again soon. {trouble}".rstrip()


def is_shut_out(steps: Sequence[StepInStream], record: JobRecord) -> bool:
    """Whether a function refuses what a job needs until an operator has done something."""
    return record_status(record) in SHUT_OUT and any(step.is_on_hold for step in steps)


def record_status(record: JobRecord) -> int | None:
    """The HTTP status with which the latest attempt was answered; None: it is not known."""
    try:
        return int(json.loads(record.fields.get("trouble") or "{}")["status"])
    except (ValueError, KeyError, TypeError):
        return None


def _dot(text: str) -> str:
    return text if not text or text[-1] in ".!?)" else f"{text}."


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
