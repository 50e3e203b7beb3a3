"""Requests of runner clients: what is kept with their jobs, who gets to know it, and how turns are shared."""

import json

import pytest

from adapter.redis import keys
from adapter.steps.entries import assemble_step
from adapter.steps.interventions import Interventions
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.workflows import FETCH_STAGE, WORKFLOWS, workflow_of
from support.runner_requests import job_of, v4_task, v5_task

PRIVATE = {"notify_url": "https://pod.example.org/x?secret=s", "token": "t0ken"}


@pytest.fixture
def delivered(records):
    """What a function receives of a step."""

    async def assemble(step):
        (joined,) = await records.join([step])
        return assemble_step(step, joined)

    return assemble


async def plan_first(take, records, job):
    """Fetch, and plan nothing but the notification."""
    (fetch,) = await take()
    await records.commit(fetch, Plan(stages=(workflow_of(job).first_stage,)))
    (plan,) = await take()
    return plan


async def test_only_the_notification_gets_to_know_what_is_private(take, records, delivered, jobs_redis):
    job = job_of(v4_task())
    await records.request(job, PRIVATE)
    (fetch,) = await take()
    event = await delivered(fetch)
    assert (event.step_id, event.private) == ("fetch", {})
    await records.commit(fetch, Plan(stages=(workflow_of(job).notification_stage,)))
    await records.note_fetched(job.id, "info_video.json")
    (notify,) = await take("notification")
    event = await delivered(notify)
    private = {name: value.get_secret_value() for name, value in event.private.items()}
    assert 0 <= float(private.pop("answered_s_ago")) < 60
    fetched = json.loads(private.pop("fetched"))
    assert list(fetched) == ["info_video.json"]
    assert 0 <= fetched["info_video.json"] < 60
    assert private == PRIVATE
    assert "t0ken" not in repr(event)
    assert "t0ken" in event.model_dump_json()
    await records.fail(notify, Problem(title="No.", status=400, detail="Not wanted."))
    whole = [await jobs_redis.hgetall(keys.job(job.id)), await jobs_redis.xrange(keys.DEAD)]
    assert "t0ken" not in str(whole)


async def test_what_is_private_expires_with_the_record_and_survives_a_replay(take, records, jobs_redis, make_job):
    job = job_of(v4_task())
    await records.request(job, PRIVATE)
    assert await jobs_redis.smembers(keys.client_jobs("pod")) == {job.id}
    (fetch,) = await take()
    await records.commit(fetch, Plan(stages=(workflow_of(job).notification_stage,)))
    await records.note_fetched(job.id, "a")
    (notify,) = await take("notification")
    await records.fail(notify, Problem(title="No.", status=400, detail="Not wanted."))
    places = (keys.job_private(job.id), keys.job_fetched(job.id))
    assert [0 < await jobs_redis.ttl(place) <= await jobs_redis.ttl(keys.job(job.id)) for place in places] == [True] * 2
    assert await jobs_redis.exists(keys.client_jobs("pod")) == 0
    assert (await Interventions(records.script).retry(job)).outcome == "accepted"
    assert await jobs_redis.ttl(keys.job_private(job.id)) == -1
    assert await jobs_redis.exists(keys.job_fetched(job.id)) == 0
    assert await jobs_redis.smembers(keys.client_jobs("pod")) == {job.id}


async def test_a_plan_may_change_the_job_even_its_type(take, records, delivered, job_hash):
    job = job_of(v4_task(task_type="studio"))
    await records.request(job, PRIVATE)
    plan = await plan_first(take, records, job)
    encoding = EncodingJob(
        id=job.id, target=job.target, reply_to=job.reply_to, source="runner/job-1/result/studio_base.mp4",
        output_folder="runner/job-1/result",
    )  # fmt: skip
    stage = WORKFLOWS["encoding"].first_stage
    again = stage.model_copy(update={"steps": (stage.steps[0].model_copy(update={"id": "plan-encoding"}),)})
    await records.commit(plan, Plan(stages=(again,), job=encoding.model_dump(mode="json")))
    (step,) = await take()
    assert (await delivered(step)).job == encoding
    assert (await job_hash())["type"] == "studio", "a repeat of the request still names it"
    assert (await records.request(job_of(v4_task(task_type="studio"), "job-2"), PRIVATE)).outcome == "joined"
    assert await records.fail(step, Problem(title="No.", status=422, detail="No.")) == "failing"
    (report,) = await take()
    assert (await delivered(report)).job.type == "encoding"
    await records.commit(report, Result())
    (notify,) = await take("notification")
    assert notify.spec.action == "encoding"


async def test_a_plan_that_names_another_job_is_refused(take, records, job_hash):
    job = job_of(v4_task())
    await records.request(job, PRIVATE)
    plan = await plan_first(take, records, job)
    other = job.model_copy(update={"id": "other"})
    with pytest.raises(ValueError, match="into another one, other"):
        await records.commit(plan, Plan(stages=(FETCH_STAGE,), job=other.model_dump(mode="json")))
    assert json.loads((await job_hash())["params"])["id"] == job.id


async def test_a_failure_is_superseded_by_a_new_request(take, records, job_hash):
    job = job_of(v5_task())
    await records.request(job, PRIVATE)
    (fetch,) = await take()
    await records.fail(fetch, Problem(title="No.", status=404, detail="The source is gone."))
    accepted = await records.request(job_of(v5_task(), "job-2"), PRIVATE)
    assert (accepted.outcome, accepted.other_id) == ("accepted", job.id)
    assert (await job_hash(job.id))["state"] == "superseded"


async def test_the_jobs_of_a_client_share_what_one_job_has(take, records, job_hash, make_job):
    """Many videos are encoded anew at once: one of another client is not behind all of them."""
    for number in range(50):
        await records.request(job_of(v5_task(number), f"storm-{number}"), PRIVATE)
    other = job_of(v4_task())
    await records.request(other.model_copy(update={"reply_to": RunnerCallback(client="other", dialect="v4")}), PRIVATE)
    shares = [int((await job_hash(f"storm-{number}"))["share"]) for number in (0, 1, 49)]
    own = int((await job_hash())["share"])
    assert shares == [own, own // 2, own // 50]
    await records.accept([make_job("celery", 7)])
    first = [step.job_id for step in await take(count=12)]
    assert {"job-1", "celery"} <= set(first)


async def test_plans_of_what_is_fetched_are_not_learned(take, records, jobs_redis):
    job = job_of(v4_task())
    await records.request(job, PRIVATE)
    plan = await plan_first(take, records, job)
    assert await jobs_redis.exists(keys.plans("encoding")) == 0
    await records.commit(plan, Plan(stages=(workflow_of(job).notification_stage,)))
    assert await jobs_redis.llen(keys.plans("encoding")) == 1
