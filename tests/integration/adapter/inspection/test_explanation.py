"""Why jobs wait, and when they will be ready, with a real Redis and real dispatches."""

import asyncio
import json
import time

import pytest

from adapter.about import AdapterAbout, AdapterState
from adapter.inspection.forecast.explanation import explain
from adapter.inspection.forecast.forecasts import forecast_all
from adapter.inspection.job_record import JobRecord
from adapter.page.forecasts import Forecasts
from adapter.redis import keys
from adapter.steering.steering import Steering
from adapter.steps.history import AttemptNote
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from support.celery_messages import celery_message
from support.runner_requests import job_of, v4_task

DOWN = Problem(title="Pod does not answer.", status=503, detail="Pod does not answer at https://pod.example.")
NOTE = AttemptNote("one", 1.0)


def steps(action, count, weight=1.0, function="encoding"):
    return tuple(
        StepSpec(id=f"{action}-{number}", function=function, action=action, weight=weight) for number in range(count)
    )


PLAN = Plan(
    stages=(
        Stage(name="encode", steps=steps("chunk", 6, 8.0)),
        Stage(name="notify", steps=steps("encoding", 1, function="notification")),
    )
)


@pytest.fixture
async def streams(make_streams):
    """What is known of adapters is said by `tell` alone."""
    return await make_streams(alive=False)


@pytest.fixture
def tell(jobs_redis):
    """Say that an adapter lives and has these slots."""

    async def told(adapter_id="one", silent_s=0.0, **fields):
        slots = {"slots": {"encoding": 2, "notification": 1}} | fields
        about = AdapterAbout(adapter_id, **({"queues": ["encoding"], "retries": {"notification": [5, 2, 60]}} | slots))
        seconds, _ = await jobs_redis.time()
        await jobs_redis.set(keys.about(adapter_id), json.dumps(about.as_fields()))
        await jobs_redis.zadd(keys.ADAPTERS, {adapter_id: seconds - silent_s})

    return told


@pytest.fixture
def plan(records, take, make_job):
    async def planned(job_id="job-1", video_id=7, reply=PLAN):
        await records.accept([make_job(job_id, video_id)])
        (step,) = await take(count=1)
        assert step.spec.action == "plan"
        await records.join([step], "one")
        await records.commit(step, reply, NOTE)

    return planned


@pytest.fixture
def why(jobs_redis, broker):
    async def ask(job_id="job-1"):
        return await explain(jobs_redis, job_id, broker)

    return ask


async def begin(records, step):
    await records.join([step], "one")
    return step


async def test_job_that_shares_full_slots_says_how_many_wait_and_when_it_is_ready(plan, take, records, tell, why):
    await tell()
    await plan()
    await plan("job-2", 8)
    for step in await take(count=2):
        await begin(records, step)
    found = await why("job-2")
    assert found.state == "running"
    assert found.sentences[0].startswith(
        "1 of 8 steps are done; 1 runs (longest: chunk-0, for 1 s), 5 wait for their turns."
    )
    assert "1 other job shares the function encoding, whose 2 slots are all in use." in found.sentences
    assert found.sentences[-1].startswith("It will be ready at about ")
    assert (found.steps, found.steps_done) == (8, 1)
    # two jobs of 48 s in two slots, then a notification: nothing is known of what chunks take but their weight
    assert found.ready_at - time.time() == pytest.approx(49, rel=0.3)
    assert json.dumps(found.as_json())


async def test_forecast_follows_what_steps_really_took(plan, take, records, tell, jobs_redis):
    await tell()
    await plan()
    before = (await forecast_all(jobs_redis))["job-1"] - time.time()
    for step in await take(count=2):
        await begin(records, step)
        await records.commit(step, Result(), AttemptNote("one", 80.0))
    after = (await forecast_all(jobs_redis))["job-1"] - time.time()
    rates = await jobs_redis.hgetall(keys.RATES)
    assert float(rates["encoding/chunk:s"]) / float(rates["encoding/chunk:w"]) == pytest.approx(10, rel=0.02)
    assert before < 60
    assert after == pytest.approx(2 * 80, rel=0.5)


async def test_jobs_that_are_not_planned_are_taken_for_as_long_as_others_were(
    plan, tell, records, make_job, jobs_redis
):
    await tell(slots={"encoding": 1, "notification": 1})
    await plan()
    await records.accept([make_job("job-2", 8)])
    times = await forecast_all(jobs_redis)
    assert times["job-2"] - time.time() == pytest.approx(2 * 48, rel=0.3)


async def test_what_the_page_says_of_a_job_is_not_shown_once_the_job_has_gone_on(plan, take, records, tell, jobs_redis):
    await tell()
    await plan()
    forecasts = Forecasts(jobs_redis)
    while (forecast := await forecasts.latest(1)) is None:
        await asyncio.sleep(0.05)

    async def said():
        return forecast.sentences(JobRecord("job-1", await jobs_redis.hgetall(keys.job("job-1"))))

    assert "1 of 8 steps are done" in (await said())[0]
    for step in await take(count=6):
        await begin(records, step)
        await records.commit(step, Result(), NOTE)
    assert await said() == []
    await forecasts.close()


async def test_job_without_an_adapter_says_so(plan, why):
    await plan()
    found = await why()
    assert found.sentences[1:] == [
        "No adapter runs: nothing is done. Start one with `podjobs run`, or scripts/up.",
        "Nobody can say when it will be ready as long as that lasts.",
    ]
    assert found.ready_at is None


async def test_adapter_that_was_not_heard_of_does_not_count(plan, why, tell):
    await plan()
    await tell(silent_s=100)
    assert "No adapter runs" in (await why()).sentences[1]


@pytest.mark.parametrize(("name", "command"), [("encoding", "encoding"), ("*", "*")])
async def test_job_of_a_paused_function_says_who_paused_it(name, command, plan, why, tell, jobs_redis, records):
    await tell()
    await plan()
    await Steering(jobs_redis, records).pause(name, "anna", "new disks")
    found = await why()
    assert "The function encoding is paused since " in found.sentences[1]
    assert found.sentences[1].endswith(f"by anna (new disks): `podjobs resume {command}` lets it go on.")
    assert found.ready_at is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"workers": {"encoding": 0}},
            "The function encoding has no workers: start one with `podjobs worker encoding`.",
        ),
        (
            {"slots": {"notification": 1}},
            "No adapter invokes the function encoding: set PODJOBS_FUNCTION_URL_ENCODING.",
        ),
        (
            {"state": AdapterState.DRAINING},
            "All adapters that invoke the function encoding are being drained: start another one.",
        ),
    ],
)
async def test_job_whose_function_takes_nothing_says_why(fields, sentence, plan, why, tell):
    await tell(**fields)
    await plan()
    found = await why()
    assert sentence in found.sentences
    assert found.ready_at is None


async def test_step_between_two_attempts_says_until_when_and_why(plan, take, records, why, tell):
    await tell()
    await plan(reply=Plan(stages=(PLAN.stages[1],)))
    (step,) = await take("notification")
    await begin(records, step)
    await records.schedule_retry(step, DOWN.model_dump_json(), AttemptNote("one", 1.0))
    found = await why()
    assert found.sentences[0] == "1 of 2 steps are done; none runs."
    assert found.sentences[1].startswith("The step encoding-0 waits until ")
    assert found.sentences[1].endswith("for its 2nd attempt: Pod does not answer at https://pod.example.")
    assert found.ready_at - time.time() == pytest.approx(6, abs=1.5)  # in 5 s, for 1 s


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (503, "The function notification is busy. The step encoding-0 is delivered again soon. It is full."),
        (401, "The function notification refuses the adapter (401), and keeps the step encoding-0: It is full."),
    ],
)
async def test_step_on_hold_says_what_the_function_answers(status, sentence, plan, take, records, why, tell):
    await tell()
    await plan(reply=Plan(stages=(PLAN.stages[1],)))
    (step,) = await take("notification")
    await begin(records, step)
    await records.hold(step, "one", Problem(title="No.", status=status, detail="It is full.").model_dump_json())
    found = await why()
    assert found.sentences[1] == sentence
    assert (found.ready_at is None) == (status == 401)


async def test_step_of_an_adapter_that_is_gone_is_said_to_be_done_by_another(plan, take, records, why, tell):
    await tell("two")
    await plan()
    await begin(records, (await take(count=1))[0])
    assert "The adapter one no longer answers: another one will do its step chunk-0." in (await why()).sentences


async def test_job_whose_source_is_looked_for_says_so(plan, take, records, why, tell):
    await tell()
    await plan()
    (step,) = await take(count=1)
    await records.miss_source(step, DOWN.model_dump_json(), is_last=False)
    assert (
        "It waits until the place of its source is known: Pod has been asked where the video is now."
        in (await why()).sentences
    )


async def test_job_that_has_ended_says_how(plan, take, records, why, tell, jobs_redis):
    await tell()
    await plan(reply=Plan(stages=(PLAN.stages[1],)))
    (step,) = await take("notification")
    await records.commit(step, Result(), NOTE)
    assert (await why()).sentences[0].startswith("It is done since ")
    await jobs_redis.hset(keys.job("job-1"), mapping={"state": "failed", "error": DOWN.model_dump_json()})
    (sentence,) = (await why()).sentences
    assert sentence.endswith(f"{DOWN.detail} `podjobs retry job-1` runs it anew.")


async def test_job_that_fails_says_that_pod_is_told(plan, take, records, why, tell):
    await tell()
    await plan()
    (step, *_) = await take(count=1)
    await records.fail(step, DOWN, NOTE)
    found = await why()
    assert found.sentences[0] == f"It has failed, and Pod is being told: {DOWN.detail}"
    assert found.ready_at - time.time() == pytest.approx(2, abs=1.5)  # report, notify


async def test_message_on_pods_queue_says_why_it_is_still_there(broker, why, tell):
    for name in ("one", "two", "three"):
        await broker.lpush("encoding", celery_message("task", [7], message_id=name, queue="encoding"))
    place = "Its message is still on Pod's queue encoding, behind 2 others"
    found = await why("three")
    assert found.state == "requested"
    assert found.sentences == [
        f"{place}: that queue is not read, for no adapter runs. Start one with `podjobs run`, or scripts/up."
    ]
    await tell(queues=[])
    assert "no adapter has a function for it" in (await why("three")).sentences[0]
    await tell()
    assert "it is read as soon as there is room" in (await why("three")).sentences[0]
    await broker.set(keys.handed_back("encoding"), 1)
    assert "`podjobs takeover encoding` reads it again." in (await why("three")).sentences[0]


async def test_job_that_nobody_knows_has_no_state(why):
    found = await why("nobody")
    assert (found.state, found.ready_at) == ("", None)
    assert "There is no job 'nobody'." in found.sentences[0]


async def test_forecasts_change_nothing(plan, tell, jobs_redis, why):
    await tell()
    await plan()
    before = await jobs_redis.info("persistence")
    await why()
    await forecast_all(jobs_redis)
    after = await jobs_redis.info("persistence")
    assert after["rdb_changes_since_last_save"] == before["rdb_changes_since_last_save"]


def test_why_tells_it_on_the_command_line(command, client, redis_url):
    client.lpush("encoding", celery_message("task", [7], message_id="job-9", queue="encoding"))
    told = command("why", "job-9")
    assert told.returncode == 0
    assert "behind 0 others: that queue is not read" in told.stdout
    found = json.loads(command("why", "job-9", "--json").stdout)
    assert (found["state"], found["ready_at"]) == ("requested", None)
    unknown = command("why", "nobody")
    assert unknown.returncode == 1
    assert "There is no job 'nobody'." in unknown.stdout


async def test_job_whose_files_are_fetched_first_is_ready_later_than_one_whose_source_is_there(
    records, make_job, tell, jobs_redis
):
    await tell()
    await records.accept([make_job("here", 7)])
    await records.request(job_of(v4_task(), "fetched"), {"notify_url": "https://pod.example.org/x", "token": "t"})
    times = await forecast_all(jobs_redis)
    assert time.time() < times["here"] < times["fetched"]
