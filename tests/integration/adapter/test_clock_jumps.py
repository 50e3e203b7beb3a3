"""The clock of the Redis server is set by hours: retries come when they are due, and nobody loses what it works on."""

import asyncio
import time

import pytest
import structlog

from adapter.door.celery_jobs import ENCODING_TASK
from adapter.redis import keys
from adapter.redis.heartbeat import Heartbeat
from adapter.retries import RetryPolicy
from adapter.settings import FunctionSettings
from adapter.steps.reclaim import StepReclaimer
from support.celery_messages import celery_message
from support.parts import running_redis
from support.problems import problem_answer
from support.shifted_clock import OBSTACLE, ShiftedClock
from support.step_function import FakeFunction
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)

LEASE_S = 0.8
WAIT_S = 0.6
FUNCTION = FunctionSettings(
    "encoding", "http://127.0.0.1:1/", 4, RetryPolicy(base_s=WAIT_S, factor=1, cap_s=60, limit=3)
)
BACK_S, FORWARD_S = -7200, 7200


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    return ShiftedClock.made_in(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def redis_port(shifted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    with running_redis(folder, append_only=False, settings=shifted.settings) as port:
        yield port


@pytest.fixture
def clock(shifted):
    shifted.set_by(0)
    return shifted


@pytest.fixture
def reclaimer_of(records):
    def make(streams):
        return StepReclaimer(FUNCTION, streams, records, LEASE_S, lambda *_: None)

    return make


async def waits(reclaimer, timeout_s=10):
    """Sweep until a step is reclaimed; returns how long that took, in seconds."""
    begun = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while not await reclaimer.reclaim(4, ()):
            await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def server_hour(jobs_redis):
    seconds, _ = await jobs_redis.time()
    return round((seconds - time.time()) / 3600)


@pytest.mark.parametrize("shift_s", [BACK_S, FORWARD_S], ids=["back", "forward"])
async def test_reclaim_clock_is_set_while_a_step_waits_it_is_retried_when_due(
    clock, records, take, streams, make_job, reclaimer_of, jobs_redis, shift_s
):
    await records.accept([make_job()])
    (step,) = await take()
    reclaimer = reclaimer_of(streams)
    assert await reclaimer.reclaim(4, ()) == []
    await records.schedule_retry(step, "")
    assert await reclaimer.reclaim(4, ()) == []
    clock.set_by(shift_s)
    assert await server_hour(jobs_redis) == shift_s / 3600
    assert await waits(reclaimer) > WAIT_S * 0.8


async def test_reclaim_clock_was_set_back_before_the_adapter_started_the_step_waits_once_more(
    clock, records, take, streams, make_job, reclaimer_of
):
    await records.accept([make_job()])
    (step,) = await take()
    await records.schedule_retry(step, "")
    clock.set_by(BACK_S)
    assert await waits(reclaimer_of(streams)) > WAIT_S * 0.8


async def test_reclaim_clock_is_set_forward_steps_of_an_adapter_that_lives_stay_its_own(
    clock, records, take, make_streams, make_job, reclaimer_of, jobs_redis
):
    await records.accept([make_job()])
    await take()
    other = reclaimer_of(await make_streams("two"))
    assert await other.reclaim(4, ()) == []
    clock.set_by(FORWARD_S)
    assert not await jobs_redis.exists(keys.heartbeat("one")), "all that expires has expired"
    end = time.monotonic() + 2 * LEASE_S
    while time.monotonic() < end:
        assert await other.reclaim(4, ()) == []
        await asyncio.sleep(0.02)


async def test_reclaim_clock_is_set_back_steps_of_an_adapter_that_is_gone_are_taken_over(
    clock, records, take, streams, make_streams, make_job, reclaimer_of, jobs_redis
):
    await records.accept([make_job()])
    gone = await make_streams("gone", alive=False)
    await Heartbeat(jobs_redis, gone, (), LEASE_S).beat()
    await take(of=gone)
    clock.set_by(BACK_S)
    assert await waits(reclaimer_of(streams)) > LEASE_S
    assert await jobs_redis.exists(keys.heartbeat("gone")), "it expires in two hours"


@pytest.mark.parametrize("shift_s", [BACK_S, FORWARD_S], ids=["back", "forward"])
async def test_beat_clock_is_set_a_warning_says_so(clock, make_streams, jobs_redis, shift_s):
    heartbeat = Heartbeat(jobs_redis, await make_streams("one", alive=False), (), LEASE_S)
    with structlog.testing.capture_logs() as lines:
        await heartbeat.beat()
        clock.set_by(shift_s)
        await heartbeat.beat()
        await heartbeat.beat()
    (line,) = lines
    assert line["log_level"] == "warning"
    assert line["jump_s"] == pytest.approx(shift_s, abs=2)


@pytest.mark.slow
async def test_adapter_clock_is_set_back_while_it_waits_for_work_retry_and_new_work_go_on(clock, start, client, serve):
    """Its blocking reads end only when the client gives them up."""
    function = await serve(FakeFunction(answers=[problem_answer(500)]))
    adapter = start(PODJOBS_FUNCTION_URL_ENCODING=function.url, PODJOBS_RETRY_BASE_S="3")
    await asyncio.to_thread(adapter.wait)
    client.lpush("encoding", encoding_message("job-1", 1))
    await wait_until(lambda: function.attempts == [1], 20)
    clock.set_by(BACK_S)
    await wait_until(lambda: function.attempts == [1, 2], 40)
    client.lpush("encoding", encoding_message("job-2", 2))
    await wait_until(lambda: function.attempts == [1, 2, 1], 40)


def encoding_message(job_id, video_id):
    return celery_message(ENCODING_TASK, [video_id, "/media/7.mp4", 0, 0], message_id=job_id, queue="encoding")
