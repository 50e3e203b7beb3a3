"""Steps through RQ: real Redis, real workers, which are really killed."""

import asyncio
import signal
from collections import Counter
from urllib.parse import urlsplit

import pytest
from redis import Redis
from rq import Callback, Queue
from rq.serializers import JSONSerializer

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError
from adapter.delivery.rq.delivery import RqDelivery
from adapter.redis.connections import open_redis
from podjobs.contract.message_contracts import STATEMENTS, STEPS
from support.durable_lrs import read_ids
from support.lrs import LOGIN, PASSWORD
from support.parts import running_redis
from support.processes import REPOSITORY, wait_for
from support.statements import batch_of, new_statement
from support.xapi_stack import new_lrs, store_of


async def test_workers_perform_steps_one_after_another_in_one_warm_process(pool, deliver, client):
    pool()
    first, second = await deliver("sleep", takes_s=0), await deliver("sleep", step_id="two", takes_s=0)
    assert first.values["pid"] == second.values["pid"]

    large = await deliver("sleep", step_id="large", takes_s=0, payload="x" * 1_000_000)
    assert large.values["size"] == 1_000_000

    for action, error in (("permanent", StepRefusedError), ("retryable", StepFailedError), ("busy", FunctionBusyError)):
        with pytest.raises(error):
            await deliver(action, step_id=action)
    assert client.llen("rq:queue:encoding") == 0


async def test_horse_that_dies_costs_its_step_one_attempt_and_the_next_has_another(pool, deliver):
    pool()
    before = await deliver("sleep", step_id="before", takes_s=0)
    with pytest.raises(StepFailedError, match="was killed by SIGKILL; the machine may be short of memory"):
        await deliver("die")
    with pytest.raises(StepFailedError, match="ended with exit status 1"):
        await deliver("bug", step_id="bug")
    after = await deliver("sleep", step_id="after", takes_s=0)
    assert after.values["pid"] != before.values["pid"]


async def test_step_out_of_time_is_stopped_with_the_commands_it_started(pool, deliver):
    pool()
    with pytest.raises(StepFailedError, match="did not end within 2 s"):
        await deliver("command", timeout_s=1)
    wait_for(lambda: not deliver.commands(), 5)


async def test_withdrawn_step_is_stopped_with_the_commands_it_started(pool, deliver, client):
    pool()
    delivery = deliver.delivery()
    wait_for(client.pubsub_channels, 10)
    for command in ("no JSON", "[]", "{}"):  # they stop nobody from listening
        client.publish(client.pubsub_channels()[0], command)
    step = deliver.step("command")
    waiting = asyncio.create_task(delivery.deliver(step))
    await asyncio.to_thread(wait_for, deliver.commands, 10)
    waiting.cancel()
    await delivery.withdraw(step)
    wait_for(lambda: not deliver.commands(), 10)
    assert (await deliver("sleep", step_id="next", takes_s=0)).values


async def test_withdrawn_step_that_no_worker_has_is_taken_from_the_queue(deliver, client):
    delivery = deliver.delivery()
    step = deliver.step("sleep", takes_s=0)
    waiting = asyncio.create_task(delivery.deliver(step))
    await asyncio.to_thread(wait_for, lambda: client.llen("rq:queue:encoding"), 10)
    waiting.cancel()
    await delivery.withdraw(step)
    assert set(client.keys("rq:*")) == {"rq:queues"}


async def test_withdraw_while_redis_is_away_is_not_an_error(deliver):
    delivery = RqDelivery("rq:encoding", STEPS, "a", 1, open_redis("redis://127.0.0.1:1/0", text=True))
    await delivery.withdraw(deliver.step("sleep"))
    assert await delivery.workers() is None
    await delivery.close()


async def test_horse_that_holds_too_much_memory_is_replaced_before_the_next_step(pool, deliver):
    workers = pool(PODJOBS_WORKER_MEMORY_MB="1")
    first, second = await deliver("sleep", takes_s=0), await deliver("sleep", step_id="two", takes_s=0)
    assert first.values["pid"] != second.values["pid"]
    assert "holds too much memory and is replaced" in workers.said()


async def test_jobs_that_name_other_functions_are_refused_and_not_run(pool, deliver, redis_url, tmp_path):
    pool()
    marker = tmp_path / "run"
    with Redis.from_url(redis_url) as connection:
        named = Queue("encoding", connection=connection, serializer=JSONSerializer)
        pickled = Queue("encoding", connection=connection)
        command = f"touch {marker}"
        bad = [
            named.enqueue("os.system", command),
            pickled.enqueue("os.system", command),
            named.enqueue("main.handle_message", {}, on_success=Callback("os.system")),
        ]
        wait_for(lambda: all(job.get_status() in {"failed", "finished"} for job in bad[:2]), 20)
    assert (await deliver("sleep", takes_s=0)).values
    assert not marker.exists()


async def test_worker_told_to_stop_gives_its_step_back_after_the_grace_time(pool, deliver):
    first = pool(host="a")
    waiting = asyncio.create_task(deliver("sleep", takes_s=4))
    await deliver.begun()
    first.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.process.wait, 10) == 0
    pool(host="b")
    assert (await waiting).values
    assert [host for _, host in deliver.notes()] == ["a", "b"]


async def test_adapter_that_takes_over_adopts_the_running_job(pool, deliver):
    pool()
    gone = deliver.delivery("adapter-1")
    waiting = asyncio.create_task(gone.deliver(deliver.step("sleep", takes_s=3)))
    await deliver.begun()
    waiting.cancel()
    await gone.close()
    reply = await deliver.delivery("adapter-2").deliver(deliver.step("sleep", attempt=2, takes_s=3))
    assert reply.values
    assert len(deliver.notes()) == 1


async def test_step_that_is_added_anew_is_done_anew(pool, deliver):
    pool()
    await deliver("sleep", takes_s=0)
    await deliver("sleep", takes_s=0, attempt=2)
    assert len(deliver.notes()) == 1, "the answer of the first attempt is still there"
    await deliver("sleep", takes_s=0, entry_id="2-0")
    assert len(deliver.notes()) == 2


async def test_batches_of_statements_reach_the_lrs_through_rq(pool, redis_url, tmp_path):
    statements = [new_statement(number) for number in range(3)]
    lrs = new_lrs(tmp_path, latency_ms=0)
    lrs.start()
    try:
        url = lrs.wait().page.rstrip("/")
        settings = {"XAPI_LRS_URL": f"{url}/statements", "XAPI_LRS_LOGIN": LOGIN, "XAPI_LRS_PWD": PASSWORD}
        pool(queue="xapi", main=REPOSITORY / "functions" / "xapi" / "main.py", **settings)
        delivery = RqDelivery("rq:xapi", STATEMENTS, "a", 1, open_redis(redis_url, text=True))
        report = await delivery.deliver(batch_of(*statements))
        await delivery.close()
    finally:
        lrs.kill()
    assert len(report.accepted) == 3
    assert set(read_ids(store_of(tmp_path))) == {statement["id"] for statement in statements}


@pytest.mark.slow
async def test_worker_killed_with_its_pool_is_noticed_within_a_minute(pool, deliver):
    first = pool(host="a")
    waiting = asyncio.create_task(deliver("sleep", takes_s=60))
    await deliver.begun()
    began = asyncio.get_running_loop().time()
    for process in first.family():
        process.kill()
    pool(host="b")
    with pytest.raises(StepFailedError, match=r"died|lost"):
        await waiting
    assert asyncio.get_running_loop().time() - began < 60
    assert (await deliver("sleep", attempt=2, takes_s=0)).values


@pytest.mark.slow
async def test_several_servers_share_a_queue_by_pulling_although_one_is_slow_and_one_dies(pool, deliver):
    pool(workers=2, host="a")
    pool(workers=1, host="b", SLOW_FACTOR="10")
    dying = pool(workers=1, host="c")
    steps = [deliver("sleep", step_id=f"step-{number:03d}", takes_s=0.2) for number in range(60)]
    running = [asyncio.create_task(step) for step in steps]
    await deliver.begun(1, "step-005")
    for process in dying.family():
        process.kill()
    ended = await asyncio.gather(*running, return_exceptions=True)
    failed = [error for error in ended if isinstance(error, Exception)]
    assert len(failed) <= 1, failed  # the one that the dead server had: it had one slot
    done_by = Counter(host for _, host in deliver.notes("step"))
    assert done_by["a"] > 4 * done_by["b"] > 0, "each takes as many as it can do"
    assert (deliver.most_at_once("a", "step"), deliver.most_at_once("b", "step")) == (2, 1)


@pytest.mark.slow
async def test_connections_that_break_meanwhile_lose_no_answer(pool, deliver, client):
    pool()
    waiting = asyncio.create_task(deliver("sleep", takes_s=3))
    await deliver.begun()
    for _ in range(3):
        client.execute_command("CLIENT", "KILL", "TYPE", "normal")
        await asyncio.sleep(0.5)
    assert (await waiting).values
    assert len(deliver.notes()) == 1


@pytest.mark.slow
async def test_redis_restarted_while_a_step_ends_loses_no_answer(pool, deliver, client, redis_url, tmp_path):
    pool()
    waiting = asyncio.create_task(deliver("sleep", takes_s=2))
    await deliver.begun()
    client.shutdown(nosave=True)
    await asyncio.sleep(4)
    with running_redis(tmp_path / "redis", port=urlsplit(redis_url).port):
        assert (await asyncio.wait_for(waiting, 30)).values
        assert len(deliver.notes()) == 1
        assert (await deliver("sleep", step_id="next", takes_s=0)).values
