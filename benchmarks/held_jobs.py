"""Many jobs in Redis, stored and planned by the adapter's own records: what operators look at on a bad day."""

import asyncio
import random
from collections import Counter

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.redis.streams import Streams
from adapter.steps.entries import ClaimedStep, parse_entry
from adapter.steps.history import AttemptNote
from adapter.steps.records import Records
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import Job
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from support.jobs import encoding_job

ACCEPTED_AT_ONCE = 500
PLANNED, FAILED = 0.7, 0.02
"""Shares of the jobs that are planned, and of those that fail instead."""
OWNERS = 300
TTL_S = 30 * 86_400
NOTE = AttemptNote("benchmark", 1.5)
BROKEN = Problem(title="Broken.", status=422, detail="The file is damaged: no stream could be read.")


async def hold_jobs(port: int, count: int) -> str:
    """Store jobs of which most have not ended.

    Args:
        port: of the Redis.
        count: how many jobs.

    Returns:
        How many are in each state.
    """
    redis = open_redis(f"redis://127.0.0.1:{port}/0", text=True)
    records, chance = Records(redis, TTL_S), random.Random(1)
    await Streams(redis, NOTE.owner).ensure_group(keys.steps("encoding"))
    await Streams(redis, NOTE.owner).ensure_group(keys.steps("notification"))
    states: Counter[str] = Counter()
    for first in range(0, count, ACCEPTED_AT_ONCE):
        numbers = range(first, min(count, first + ACCEPTED_AT_ONCE))
        await records.accept([_job(number) for number in numbers])
        planned = int(len(numbers) * PLANNED)
        entries, _ = await records.take("encoding", NOTE.owner, planned)
        for entry_id, fields in entries:
            states[await _work(records, parse_entry("encoding", entry_id, fields, 1), chance)] += 1
    states["waiting for their plans"] = count - sum(states.values())
    await redis.aclose()
    return ", ".join(f"{number:,} {state}" for state, number in states.items())


def _job(number: int) -> Job:
    owner = f"{number % OWNERS:064x}"
    return encoding_job(f"held-{number:06d}", 2_000_000 + number, f"/media/videos/{owner}/{number}.mp4")


async def _work(records: Records, step: ClaimedStep, chance: random.Random) -> str:
    """Plan a job, or end it."""
    await records.join([step], NOTE.owner)
    fate = chance.random()
    if step.spec.action != "plan":
        await records.commit(step, Result(), NOTE)
        return "with a step done"
    if fate < FAILED:
        await records.fail(step, BROKEN, NOTE)
        return "failing"
    await records.commit(step, _plan(chance), NOTE)
    await asyncio.sleep(0)
    return "planned"


def _plan(chance: random.Random) -> Plan:
    def steps(action: str, count: int, weight: float, function: str = "encoding") -> tuple[StepSpec, ...]:
        return tuple(
            StepSpec(id=f"{action}-{number:04d}", function=function, action=action, weight=weight)
            for number in range(count)
        )

    chunks = chance.choice((2, 5, 10, 20, 60, 120))
    return Plan(
        stages=(
            Stage(name="encode", steps=steps("audio", 1, chunks * 2.0) + steps("chunk", chunks, 40.0)),
            Stage(name="package", steps=steps("package", 3, chunks / 2) + steps("images", 1, 0.5)),
            Stage(name="publish", steps=steps("publish", 1, 0.2)),
            Stage(name="notify", steps=steps("encoding", 1, 1.0, "notification")),
        )
    )
