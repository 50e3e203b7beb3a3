"""What `celery control` wants: what it can mean here is done, the rest is refused with what to do instead."""

import re

from adapter.inspection.job_record import JobRecord
from adapter.remote_control.inspect_commands import Answer, Call, Command
from podjobs.contract.job_states import JobState

BY = "celery control"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WORDS = frozenset({"terminate", "--terminate", "-t"})
"""`celery control revoke -- <id> --terminate`: Celery's command has no such option, and passes it on as an id."""


async def _revoke(call: Call) -> Answer:
    given = call.ids("task_id")
    ids = [one for one in given if one not in _WORDS]
    return await _revoke_all(call, ids, terminate=bool(call.request.arguments.get("terminate")) or ids != given)


async def _terminate(call: Call) -> Answer:
    return await _revoke_all(call, call.ids("task_id"), terminate=True)


async def _revoke_all(call: Call, ids: list[str], *, terminate: bool) -> Answer:
    """Each job is revoked by the node of its queue, and one that is not known yet by the speaker's."""
    node, said = call.node, []
    if not node.types:
        return {"ok": "xAPI statements cannot be revoked: they are not jobs."}
    if not node.place.is_speaker and not call.request.is_aimed:
        return {"ok": f"The node {node.place.speaker} answers for all."}
    records = {record.id: record for record in await call.desk.reader.records(ids)}
    for job_id in ids:
        record = records.get(job_id)
        if record is None:
            said.append(await _revoke_unknown(call, job_id))
        elif record.type in node.types:
            said.append(await _revoke_job(call, record, terminate=terminate))
    return {"ok": "\n".join(filter(None, said)) or f"None of these is a job of {node.place.name}."}


async def _revoke_unknown(call: Call, job_id: str) -> str:
    """A message that is still on Pod's list, or will come: whichever queue it is for, one node answers for it."""
    if not call.request.is_aimed and call.node.queue != call.desk.first_queue:
        return ""
    if not _ID.fullmatch(job_id):
        return f"{job_id!r} is not the id of a task."
    outcome = await call.desk.steering.revoke(job_id, BY)
    if outcome == "remembered":
        return f"No job {job_id} is known yet. If its message is read within a day, it is not begun, and Pod is told."
    return _say_outcome(job_id, outcome)


async def _revoke_job(call: Call, record: JobRecord, *, terminate: bool) -> str:
    if record.state in {JobState.RUNNING, JobState.FAILING} and not terminate:
        stage = record.fields.get("stage", "")
        return (
            f"The job {record.id} has begun ({stage}, {record.progress:.0%}) and was not touched. To cancel it: "
            f"celery control terminate KILL {record.id}"
        )
    return _say_outcome(record.id, await call.desk.steering.revoke(record.id, BY))


def _say_outcome(job_id: str, outcome: str) -> str:
    if outcome == "cancelled":
        return f"The job {job_id} is cancelled, and Pod is told."
    return f"The job {job_id} is {outcome}: there is nothing to cancel."


async def _cancel_consumer(call: Call) -> Answer:
    queue, node = str(call.request.arguments.get("queue", "")), call.node
    if queue != node.queue:
        return _say_not_read(call, queue)
    await call.desk.steering.pause(node.function, BY)
    return {
        "ok": f"Paused, on all adapters: nothing more is delivered to the function {node.function}, jobs that have "
        f"begun included; what runs there ends. Pod's messages are still taken. To go on: celery control "
        f"add_consumer {queue}"
    }


async def _add_consumer(call: Call) -> Answer:
    queue, node = str(call.request.arguments.get("queue", "")), call.node
    if queue != node.queue:
        return _say_not_read(call, queue)
    resumed = await call.desk.steering.resume(node.function)
    return {"ok": f"The function {node.function} goes on." if resumed else f"The queue {queue} is read already."}


def _say_not_read(call: Call, queue: str) -> Answer:
    """Not a fault if another node of this adapter reads it."""
    sentence = f"{call.node.place.name} reads the queue {call.node.queue} only, not {queue!r}."
    return {"ok" if queue in call.desk.about.queues else "error": sentence}


async def _enable_events(call: Call) -> Answer:
    was_enabled, call.desk.events_enabled = call.desk.events_enabled, True
    return {"ok": "task events already enabled" if was_enabled else "task events enabled"}


async def _disable_events(call: Call) -> Answer:
    was_enabled, call.desk.events_enabled = call.desk.events_enabled, False
    return {"ok": "task events disabled" if was_enabled else "task events already disabled"}


async def _say_nothing(_: Call) -> Answer:
    return None


def _refuse(sentence: str) -> Command:
    async def refuse(call: Call) -> Answer:
        function = call.node.function
        return {"error": sentence.format(function=function, setting=f"PODJOBS_CONCURRENCY_{function.upper()}")}

    return refuse


_SLOTS = "How much is done at once is set by {setting} and by the workers of the function {function}; set it there."
_LIMITS = "Steps of jobs have no such limit: they are short, and each has a time limit of its own."
_MEMORY = "This is not supported. The adapter's memory and much else: its pages /status and /metrics."
CONTROL_COMMANDS: dict[str, Command] = {
    "revoke": _revoke,
    "terminate": _terminate,
    "cancel_consumer": _cancel_consumer,
    "add_consumer": _add_consumer,
    "enable_events": _enable_events,
    "disable_events": _disable_events,
    "heartbeat": _say_nothing,  # the next one comes within two seconds
    "election": _say_nothing,  # among workers of Celery's own
    "shutdown": _refuse(
        "An adapter is not shut down from afar: whoever started it would start it again. Drain it by `podjobs drain`, "
        "then stop it where it was started, such as by `systemctl stop podjobs-adapter`."
    ),
    "pool_grow": _refuse(_SLOTS),
    "pool_shrink": _refuse(_SLOTS),
    "autoscale": _refuse(_SLOTS),
    "pool_restart": _refuse("There is no pool. Restart the workers of the function {function} where they run."),
    "rate_limit": _refuse(_LIMITS),
    "time_limit": _refuse(_LIMITS),
    "revoke_by_stamped_headers": _refuse("Pod's tasks have no stamps. Revoke them by their ids."),
    "objgraph": _refuse(_MEMORY),
    "memsample": _refuse(_MEMORY),
    "memdump": _refuse(_MEMORY),
}
