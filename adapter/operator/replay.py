"""What could not be done, tried again: when its cause is mended, at an operator's word."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from adapter.operator.job_reader import DeadEntry
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.statements.store import Statements
from adapter.steps.records import JOB, Records


class ReplayError(Exception):
    """The entry cannot be replayed; the text says why."""


@dataclass(frozen=True)
class ReplayTargets:
    """Where replayed things go."""

    records: Records
    statements: Statements
    jobs: RedisClient
    """The jobs' database."""
    brokers: Mapping[str, RedisClient]
    """Databases of queues that have one of their own."""
    broker: RedisClient
    """The database of all other queues."""


async def replay_entry(entry: DeadEntry, targets: ReplayTargets) -> str:
    """Do it again: a job from its start, a message by putting it on its queue, a statement with the next batch.

    Args:
        entry: of the dead stream; it is removed.
        targets: where it goes.

    Returns:
        A sentence that tells what was done.

    Raises:
        ReplayError: nothing was changed.
    """
    match entry.kind:
        case "job":
            return await _replay_job(entry, targets.records)
        case "statement":
            return await _replay_statement(entry, targets.statements)
        case _:
            return await _replay_message(entry, targets)


async def _replay_job(entry: DeadEntry, records: Records) -> str:
    job = JOB.validate_json(entry.fields["params"])
    answer = await records.replay(job, entry.id)
    if answer.outcome == "gone":
        raise ReplayError(f"The entry {entry.id} is not there any more.")
    if answer.outcome != "accepted":
        raise ReplayError(f"The job {job.id} is {answer.outcome}: only a job that has failed can be replayed.")
    superseded = f" It supersedes the job {answer.superseded_id}." if answer.superseded_id else ""
    return f"The job {job.id} starts anew.{superseded}"


async def _replay_statement(entry: DeadEntry, statements: Statements) -> str:
    if not await statements.replay(entry.id):
        raise ReplayError(f"The entry {entry.id} is not there any more.")
    return f"The {entry.what} goes to the LRS with the next batch."


async def _replay_message(entry: DeadEntry, targets: ReplayTargets) -> str:
    queue = entry.fields.get("queue", "")
    if queue.startswith(keys.PREFIX):
        raise ReplayError(f"The entry {entry.id} was no step or statement and cannot become one.")
    encoded = entry.fields.get("raw_base64")
    raw = base64.b64decode(encoded) if encoded else entry.fields["raw"].encode()
    # First on the queue, then off the dead: between the two it is there twice, and never nowhere.
    await targets.brokers.get(queue, targets.broker).lpush(queue, raw)
    await targets.jobs.xdel(keys.DEAD, entry.id)
    return f"The message is on the queue {queue!r} again."
