"""Jobs and messages as Celery's tasks: what `celery inspect` prints for each. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from adapter.door.celery_jobs import ENCODING_TASK, STUDIO_TASK, TRANSCRIPTION_TASK
from adapter.door.celery_studio import RecordingRequest
from adapter.door.envelope import open_envelope
from adapter.door.statement_intake import STATEMENT_TASK
from adapter.inspection.job_record import JobRecord
from adapter.remote_control.overview import Overview
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import Cut, StudioJob
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.statements import Statement

TASKS = {"encoding": ENCODING_TASK, "studio": STUDIO_TASK, "transcription": TRANSCRIPTION_TASK}
"""Job type → the task by which Pod requests it."""
_NO_PRIORITY = 6
"""What Celery says of tasks without one."""
TaskInfo = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """Where a task is."""

    node: str
    queue: str
    pid: int | None = None
    """Of the adapter that has it in its hands; None: none has."""


def task_name(job_type: str) -> str:
    """The task of a job type; a name of ours if Pod has none."""
    return TASKS.get(job_type, f"podjobs.{job_type}")


def describe_job(record: JobRecord, place: TaskPlace, paths: MediaPaths) -> TaskInfo:
    """A job as a task.

    Args:
        record: of the job.
        place: where it is.
        paths: map keys back to Pod's paths.
    """
    args, kwargs = _arguments(record, paths)
    return _task(record.id, task_name(record.type), args, kwargs) | {
        "hostname": place.node,
        "time_start": record.number("started_at") or None,
        "acknowledged": True,
        "delivery_info": _delivery_info(place.queue, is_again=record.number("restarts") > 0),
        "worker_pid": place.pid,
        "state": record.state,
        "stage": record.fields.get("stage", ""),
        "progress": round(record.progress, 3),
        "accepted": record.accepted_at_s,
    }


def describe_active(record: JobRecord, place: TaskPlace, overview: Overview, paths: MediaPaths) -> TaskInfo:
    """A job that has begun, with what it does or waits for; the arguments are those of `describe_job`."""
    retry = overview.retries.get(record.id)
    found = describe_job(record, place, paths) | {"steps_running": len(overview.running.get(record.id, ()))}
    if retry:
        found |= {"steps_waiting_for_retry": retry.steps, "retry_eta": _iso(retry.next_at_s)}
    if record.reason:
        found["trouble"] = record.reason
    return found


def describe_scheduled(info: TaskInfo, next_at_s: float) -> dict[str, Any]:
    """A task that waits for its next attempt, at that time (seconds since the epoch), as Celery shows it."""
    return {"eta": _iso(next_at_s), "priority": _NO_PRIORITY, "request": info}


def describe_message(raw: bytes, size_bytes: int, place: TaskPlace) -> TaskInfo:
    """A message that is still on Pod's list as a task, whatever it contains.

    Args:
        raw: the message; only its beginning if it is too long.
        size_bytes: all of it.
        place: where it is.
    """
    found = _read_message(raw) if len(raw) == size_bytes else _task("", "", [f"{size_bytes} bytes"], {})
    return found | {
        "hostname": place.node,
        "time_start": None,
        "acknowledged": False,
        "delivery_info": _delivery_info(place.queue),
        "worker_pid": None,
        "state": "on Pod's list",
    }


def describe_statement(entry_id: str, statement: Statement | None, place: TaskPlace) -> TaskInfo:
    """A statement that the LRS does not have yet as a task: its id and verb, but not whom it is about.

    Args:
        entry_id: of the stream.
        statement: None: it cannot be read.
        place: where it is.
    """
    id_ = str((statement or {}).get("id") or entry_id)
    return _task(id_, STATEMENT_TASK, [_without_persons(statement)], {}) | {
        "hostname": place.node,
        "time_start": None,
        "acknowledged": True,
        "delivery_info": _delivery_info(place.queue),
        "worker_pid": place.pid,
        "state": "with the LRS" if place.pid else "waiting",
    }


def number_in(tasks: list[TaskInfo], total: int) -> list[TaskInfo]:
    """Say of each task that waits which one it is, and how many there are: only so many are listed."""
    return [task | {"position": position, "of": total} for position, task in enumerate(tasks, start=1)]


def _arguments(record: JobRecord, paths: MediaPaths) -> tuple[list[Any], dict[str, Any]]:
    """What Pod has called the task with, as far as the job tells."""
    request = record.request
    told = (request.get("reply_to") or {}).get("request") or {}
    if record.type == "encoding" and told:
        named = {name: told.get(name) for name in ("json_dressing", "dressing_input")}
        return [told.get(name) for name in ("video_id", "video_path", "cut_start", "cut_end")], named
    target: Any = int(record.number_in_pod) if record.number_in_pod else record.target
    if record.type == "studio":
        return _studio_arguments(target, request, paths), {}
    if record.type == "transcription" and record.source:
        return [target, paths.pod_path(record.source), None, request.get("language")], {}
    return [target], {}


def _studio_arguments(target: Any, request: dict[str, Any], paths: MediaPaths) -> list[Any]:
    try:
        job = StudioJob.model_validate(request)
    except ValidationError:
        return [target]
    slides, camera = (None if key is None else paths.pod_path(key) for key in (job.presentation, job.presenter))
    cut, output = job.cut or Cut(), paths.pod_path(job.output)
    return RecordingRequest(target, output, slides, camera, job.layout, cut.start_s, cut.end_s).arguments


def _read_message(raw: bytes) -> TaskInfo:
    try:
        envelope = open_envelope(raw)
        arguments = envelope.unpack()
    except InvalidRequestError as error:
        return _task("", "", [f"This message cannot be read: {error.detail}"], {})
    name = str(envelope.task)[:200]
    args, kwargs = arguments.positional, arguments.keywords
    if name == STATEMENT_TASK:
        args, kwargs = [_without_persons(args[0] if args else kwargs.get("statement"))], {}
    return _task(str(envelope.id)[:200], name, args, kwargs)


def _without_persons(statement: Any) -> dict[str, Any]:
    found = statement if isinstance(statement, dict) else {}
    verb = found.get("verb")
    return {"id": found.get("id"), "verb": verb.get("id") if isinstance(verb, dict) else None}


def _task(id_: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> TaskInfo:
    return {"id": id_, "name": name, "args": args, "kwargs": kwargs, "type": name}


def _delivery_info(queue: str, *, is_again: bool = False) -> dict[str, Any]:
    return {"exchange": "", "routing_key": queue, "priority": 0, "redelivered": is_again}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")
