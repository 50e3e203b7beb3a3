"""What could not be done, tried again: when its cause is mended, at an operator's word."""

import base64

from adapter import keys
from adapter.archive import DeadEntry
from adapter.connections import RedisClient
from adapter.records import JOB, Records


class ReplayError(Exception):
    """The entry cannot be replayed; the text says why."""


async def replay_entry(entry: DeadEntry, records: Records, jobs: RedisClient, broker: RedisClient) -> str:
    """Do it again: a job from its start, a message by putting it on its queue.

    Args:
        entry: of the dead stream; it is removed.
        records: the jobs.
        jobs: the jobs' database.
        broker: the broker's database.

    Returns:
        A sentence that tells what was done.

    Raises:
        ReplayError: nothing was changed.
    """
    if entry.kind == "job":
        return await _replay_job(entry, records)
    return await _replay_message(entry, jobs, broker)


async def _replay_job(entry: DeadEntry, records: Records) -> str:
    job = JOB.validate_json(entry.fields["params"])
    answer = await records.replay(job, entry.id)
    if answer.outcome == "gone":
        raise ReplayError(f"The entry {entry.id} is not there any more.")
    if answer.outcome != "accepted":
        raise ReplayError(f"The job {job.id} is {answer.outcome}: only a job that has failed can be replayed.")
    superseded = f" It supersedes the job {answer.superseded_id}." if answer.superseded_id else ""
    return f"The job {job.id} starts anew.{superseded}"


async def _replay_message(entry: DeadEntry, jobs: RedisClient, broker: RedisClient) -> str:
    queue = entry.fields.get("queue", "")
    if queue.startswith(keys.PREFIX):
        raise ReplayError(f"The entry {entry.id} was no step and cannot become one.")
    encoded = entry.fields.get("raw_base64")
    raw = base64.b64decode(encoded) if encoded else entry.fields["raw"].encode()
    # First on the queue, then off the dead: between the two it is there twice, and never nowhere.
    await broker.lpush(queue, raw)
    await jobs.xdel(keys.DEAD, entry.id)
    return f"The message is on the queue {queue!r} again."
