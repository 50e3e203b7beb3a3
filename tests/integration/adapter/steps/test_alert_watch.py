"""What administrators are told of, as a dispatch of real steps sees it."""

import asyncio

from adapter.alerts.occurrences import Kind, Occurrence
from adapter.alerts.outbox import Outbox
from adapter.alerts.watch import UNSEEN_S, AlertWatch
from adapter.redis import keys
from podjobs.contract.errors import PermanentError, ShutOutError
from support.problems import answer_of
from support.waiting import wait_until


class Numbers:
    """Says how long the oldest has waited."""

    oldest_s = 0.0

    async def read(self):
        return {"oldest_waiting_s": self.oldest_s}


class Door:
    queue, obstacle = "encoding", ""


async def told(jobs_redis):
    found = await jobs_redis.xrange(keys.OCCURRENCES)
    return [Occurrence.of_text(fields["occurrence"]) for _, fields in found]


async def test_condition_is_told_once_however_many_steps_and_adapters_see_it_and_once_when_it_is_over(
    jobs_redis, records, make_job, function, start
):
    watches = [AlertWatch(Outbox(jobs_redis, name), Numbers(), (), 0) for name in ("one", "two")]
    refused = ShutOutError("Pod does not accept POD_API_TOKEN.", retry_after_s=1)
    function.answers = [answer_of(refused) for _ in range(3)]
    await records.accept([make_job(f"job-{number}", number) for number in range(3)])
    for name, watch in zip(("one", "two"), watches, strict=True):
        await start(name, observers=[watch])
    await wait_until(lambda: len(function.asked) >= 3)
    for watch in (*watches, *watches):
        await watch.look()
    (first,) = await told(jobs_redis)
    assert (first.kind, first.about, first.reason) == (Kind.OPERATOR_NEEDED, "encoding", refused.detail)
    async with asyncio.timeout(10):
        while len(await told(jobs_redis)) < 2:
            await asyncio.sleep(0.1)
            for watch in watches:
                await watch.look()
    for watch in (*watches, *watches):
        await watch.look()
    assert [one.kind for one in await told(jobs_redis)] == [Kind.OPERATOR_NEEDED, Kind.OVER]


async def test_job_that_fails_is_told_once_and_one_that_is_cancelled_is_not(
    jobs_redis, records, make_job, function, start, wait_state
):
    watch = AlertWatch(Outbox(jobs_redis, "one"), Numbers(), (), 0)
    function.answers = [answer_of(PermanentError("The file is no video."))]
    await records.accept([make_job()])
    await start(observers=[watch])
    await start(name="notification", observers=[watch])
    await wait_state("failed")
    await watch.look()
    (failed,) = await told(jobs_redis)
    assert (failed.kind, failed.about, failed.reason) == (Kind.JOB_FAILED, "job-1", "The file is no video.")
    assert failed.values == {"target": "7", "type": "encoding"}


async def test_backlog_and_closed_queues_are_told_when_they_begin_and_when_they_are_over(jobs_redis):
    numbers, door = Numbers(), Door()
    watch = AlertWatch(Outbox(jobs_redis, "one"), numbers, [door], 3600)
    await watch.look()
    assert await told(jobs_redis) == []
    numbers.oldest_s, door.obstacle = 4000.0, "There are too many dead letters."
    await watch.look()
    await watch.look()
    assert {(one.kind, one.reason) for one in await told(jobs_redis)} == {
        (Kind.BACKLOG, ""), (Kind.QUEUE_CLOSED, "There are too many dead letters."),
    }  # fmt: skip
    numbers.oldest_s, door.obstacle = 0.0, ""
    await watch.look()
    over = [one.values["kind"] for one in await told(jobs_redis) if one.kind == Kind.OVER]
    assert sorted(over) == [Kind.BACKLOG, Kind.QUEUE_CLOSED]


async def test_closed_queue_of_an_adapter_that_is_gone_is_over_once_nobody_sees_it_and_can_be_told_again(jobs_redis):
    before, door = Door(), Door()
    before.obstacle = "There are too many dead letters."
    await AlertWatch(Outbox(jobs_redis, "killed"), Numbers(), [before], 0).look()
    watch = AlertWatch(Outbox(jobs_redis, "next"), Numbers(), [door], 0)
    await watch.look()
    assert [one.kind for one in await told(jobs_redis)] == [Kind.QUEUE_CLOSED]
    await jobs_redis.zincrby(keys.LASTING, -UNSEEN_S - 1, f"{Kind.QUEUE_CLOSED}:encoding")
    await watch.look()
    door.obstacle = before.obstacle
    await watch.look()
    assert [one.kind for one in await told(jobs_redis)] == [Kind.QUEUE_CLOSED, Kind.OVER, Kind.QUEUE_CLOSED]
