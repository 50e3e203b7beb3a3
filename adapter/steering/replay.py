"""Replay of dead letters: once their cause is fixed, an operator has them processed again."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapter.inspection.dead_letter_reader import DeadLetter
from adapter.record_settings import RecordSettings
from adapter.redis import keys
from adapter.redis.connections import RedisClient
from adapter.statements.store import StatementStore
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.workflows import XAPI, read_job


class ReplayError(Exception):
    """The dead letter cannot be replayed; the message says why."""


@dataclass(frozen=True)
class ReplayTargets:
    """Where replayed dead letters go."""

    interventions: Interventions
    statements: StatementStore
    jobs: RedisClient
    """The jobs' database."""
    brokers: Mapping[str, RedisClient]
    """The databases of queues that have their own."""
    broker: RedisClient
    """The database of all other queues."""


def open_targets(
    settings: RecordSettings, records: Records, jobs: RedisClient, opened: Callable[[str], RedisClient]
) -> ReplayTargets:
    """Open where replayed dead letters go.

    Args:
        settings: where the queues are.
        records: of the jobs.
        jobs: the jobs' database.
        opened: opens a client, which returns bytes, of the database at a URL.
    """
    return ReplayTargets(
        interventions=Interventions(records.script),
        statements=StatementStore(jobs),
        jobs=jobs,
        brokers={XAPI.queue: opened(settings.xapi_broker_url)},
        broker=opened(settings.broker_url),
    )


async def replay_dead_letter(letter: DeadLetter, targets: ReplayTargets) -> str:
    """Replay a job from its start, a message by putting it back on its queue, a statement with the next batch.

    Args:
        letter: the dead letter, which is removed.
        targets: where it goes.

    Returns:
        A sentence that says what was done.

    Raises:
        ReplayError: nothing was changed.
    """
    match letter.kind:
        case "job":
            return await _replay_job(letter, targets.interventions)
        case "statement":
            return await _replay_statement(letter, targets.statements)
        case _:
            return await _replay_message(letter, targets)


async def _replay_job(letter: DeadLetter, interventions: Interventions) -> str:
    try:
        job = read_job(json.loads(letter.fields["params"]))
    except ValueError as error:
        detail = f"The job of the entry {letter.id} does not match this version: {error}. Request it again in Pod."
        raise ReplayError(detail) from error
    answer = await interventions.replay(job, letter.id)
    if answer.outcome == "gone":
        raise ReplayError(f"The entry {letter.id} no longer exists.")
    if answer.outcome != "accepted":
        raise ReplayError(f"The job {job.id} is {answer.outcome}: only a job that has failed can be replayed.")
    superseded = f" It supersedes the job {answer.other_id}." if answer.other_id else ""
    return f"The job {job.id} was restarted from the beginning.{superseded}"


async def _replay_statement(letter: DeadLetter, statements: StatementStore) -> str:
    if not await statements.replay(letter.id):
        raise ReplayError(f"The entry {letter.id} no longer exists.")
    return f"The {letter.what} goes to the LRS with the next batch."


async def _replay_message(letter: DeadLetter, targets: ReplayTargets) -> str:
    queue = letter.fields.get("queue", "")
    if queue.startswith((keys.PREFIX, keys.BROKER_PREFIX)):  # a stream; of an earlier version, too
        raise ReplayError(f"The entry {letter.id} is neither a step nor a statement and cannot become one.")
    if "sha1" in letter.fields:
        raise ReplayError(f"The message of the entry {letter.id} cannot be replayed: {letter.reason}")
    encoded = letter.fields.get("raw_base64")
    raw = base64.b64decode(encoded) if encoded else letter.fields["raw"].encode()
    # first onto the queue, then off the dead letters: in between it exists twice, but is never lost
    await targets.brokers.get(queue, targets.broker).lpush(queue, raw)
    await targets.jobs.xdel(keys.DEAD, letter.id)
    return f"The message is on the queue {queue!r} again."
