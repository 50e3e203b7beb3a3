"""What is noted of attempts: those that run, and those that have ended."""

import asyncio
from itertools import pairwise

from adapter.inspection.job_reader import JobReader
from adapter.steps.history import AttemptNote, AttemptOutcome
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.usage import Usage
from support.problems import problem_answer
from support.step_function import FakeFunction, plan_of
from support.waiting import wait_until

BROKEN = Problem(title="Broken.", status=500, detail="The disk of the function is broken.")


class Witness:
    """Keeps what an observer is told."""

    def __init__(self):
        self.began, self.attempts, self.jobs = [], [], []

    def attempt_began(self, step, request):
        self.began.append((step.spec.id, request.attempt))

    def attempt_ended(self, end):
        self.attempts.append((end.step.spec.id, end.outcome))

    def job_ended(self, end):
        self.jobs.append((end.state, end.problem.detail if end.problem else ""))


async def test_attempts_of_a_job_are_told_in_order_with_their_times(
    records, make_job, function: FakeFunction, start, wait_state, jobs_redis, job_hash
):
    function.answers, function.takes_s = [plan_of(3)], 0.1
    await records.accept([make_job()])
    await start(concurrency=1)
    await wait_state("done")
    attempts = await JobReader(jobs_redis).attempts("job-1")
    assert [(one.step, one.outcome) for one in attempts] == [
        (step, AttemptOutcome.DONE) for step in ("plan", "s0", "s1", "s2")
    ]
    for one in attempts:
        assert one.ready_at <= one.taken_at <= one.ended_at
        assert 0.1 <= one.ran_s < 2
        assert (one.owner, one.function, one.action) == ("one", "encoding", "plan" if one.step == "plan" else "chunk")
    assert all(earlier.ended_at <= later.began_at + 0.05 for earlier, later in pairwise(attempts))
    record = await job_hash()
    assert (record["attempts"], "retries" in record) == ("4", False)
    assert 0.4 <= float(record["worked_s"]) < 4


async def test_attempts_that_failed_say_why_and_are_counted(
    records, make_job, function: FakeFunction, start, wait_state, jobs_redis, job_hash
):
    function.answers = [problem_answer(500, "The disk is broken."), problem_answer(400, "No video.")]
    await records.accept([make_job()])
    await start()
    await start(name="notification")
    await wait_state("failed")
    attempts = await JobReader(jobs_redis).attempts("job-1")
    told = [(one.step, one.number, one.outcome, one.reason) for one in attempts]
    assert told[:2] == [("plan", 1, "retried", "The disk is broken."), ("plan", 2, "failed", "No video.")]
    assert attempts[0].taken_at == attempts[1].taken_at
    assert attempts[0].ended_at < attempts[1].began_at
    assert (await job_hash())["retries"] == "2"
    totals = await jobs_redis.hgetall("{podjobs}:totals")
    assert (totals["failed:encoding"], totals["retries:encoding"]) == ("1", "2")


async def test_attempt_that_runs_is_listed_with_its_adapter_until_it_ends(
    records, make_job, function: FakeFunction, start, wait_state, jobs_redis
):
    function.takes_s = 0.5
    await records.accept([make_job()])
    await start("the-adapter")
    reader = JobReader(jobs_redis)
    async with asyncio.timeout(5):
        while not (running := await reader.running()):
            await asyncio.sleep(0.02)
    assert [(one.job_id, one.step, one.attempt, one.owner) for one in running] == [("job-1", "plan", 1, "the-adapter")]
    await wait_state("done")
    assert await reader.running() == []


async def test_usage_of_attempts_is_added_up(records, make_job, take, jobs_redis, job_hash):
    await records.accept([make_job()])
    (step,) = await take()
    note = AttemptNote("one", ran_s=2.0, usage=Usage(cpu_s=1.5, memory_bytes=500_000_000))
    await records.commit(step, Result(), note)
    record = await job_hash()
    assert (float(record["cpu_s"]), float(record["gb_s"])) == (1.5, 1.0)
    (attempt,) = await JobReader(jobs_redis).attempts("job-1")
    assert (attempt.cpu_s, attempt.memory_bytes, round(attempt.ran_s, 3)) == (1.5, 500_000_000, 2.0)


async def test_usage_of_attempts_that_failed_is_added_up_apart(records, make_job, take, job_hash):
    await records.accept([make_job()])
    (step,) = await take()
    lost = AttemptNote("one", ran_s=4.0, usage=Usage(cpu_s=3.0, memory_bytes=250_000_000), reason="Broken.")
    await records.schedule_retry(step, "{}", lost)
    record = await job_hash()
    names = ("cpu_s", "lost_cpu_s", "gb_s", "lost_gb_s", "worked_s", "lost_worked_s")
    assert [float(record[name]) for name in names] == [3.0, 3.0, 1.0, 1.0, 4.0, 4.0]
    note = AttemptNote("one", ran_s=2.0, usage=Usage(cpu_s=1.5, memory_bytes=500_000_000, read_bytes=7))
    await records.commit(step, Result(), note)
    record = await job_hash()
    assert [float(record[name]) for name in names] == [4.5, 3.0, 2.0, 1.0, 6.0, 4.0]
    assert record["read_bytes"] == "7"


async def test_what_a_plan_says_of_the_media_is_in_the_record(records, make_job, take, job_hash):
    await records.accept([make_job()])
    (step,) = await take()
    stage = Stage(name="one", steps=(StepSpec(id="a", function="encoding", action="chunk"),))
    await records.commit(step, Plan(stages=(stage,), media_s=60.5, source_bytes=5000))
    record = await job_hash()
    assert (record["media_s"], record["source_bytes"]) == ("60.5", "5000")


async def test_observers_are_told_of_attempts_and_of_the_end_of_jobs(
    records, make_job, function: FakeFunction, start, wait_state
):
    witness = Witness()
    function.answers = [problem_answer(503, "Busy."), problem_answer(500, "Broken."), problem_answer(400, "No video.")]
    await records.accept([make_job()])
    await start(observers=[witness])
    await start(name="notification", observers=[witness])
    await wait_state("failed")
    await wait_until(lambda: len(witness.jobs) == 2)
    assert witness.attempts[:3] == [("plan", "busy"), ("plan", "retried"), ("plan", "failed")]
    assert [step for step, outcome in witness.attempts[3:] if outcome == "done"] == ["report", "notify-failure"]
    assert witness.jobs == [("failing", "No video."), ("failed", "No video.")]
    assert len(witness.began) == len(witness.attempts)


async def test_what_cannot_be_noted_keeps_no_job_from_its_end(
    records, make_job, function: FakeFunction, start, wait_state, jobs_redis
):
    function.answers = [plan_of(2)]
    spoilt = [f"{{podjobs}}:{name}" for name in ("rates", "recent:encoding", "plans:encoding", "totals", "arrivals")]
    for key in spoilt:
        await jobs_redis.set(key, "in the form of another version")
    await records.accept([make_job()])
    await jobs_redis.hset("{podjobs}:job:job-1", mapping={"worked_s": "much", "attempts": "many", "took_s": "long"})
    await start()
    await wait_state("done")
    assert set(await jobs_redis.mget(spoilt)) == {"in the form of another version"}


class Failing:
    """An observer with a bug."""

    def attempt_began(self, step, request):
        raise KeyError(step.spec.id, request.attempt)

    def attempt_ended(self, end):
        raise KeyError(end.outcome)

    def job_ended(self, end):
        raise KeyError(end.state)


async def test_observer_that_fails_costs_no_attempt_and_keeps_no_other_from_being_told(
    records, make_job, function: FakeFunction, start, wait_state, job_hash
):
    witness = Witness()
    function.answers = [plan_of(3)]
    await records.accept([make_job()])
    await start(concurrency=1, observers=[Failing(), witness])
    await wait_state("done")
    assert (await job_hash())["attempts"] == "4"
    await wait_until(lambda: witness.jobs == [("done", "")])
    assert [outcome for _, outcome in witness.attempts] == [AttemptOutcome.DONE] * 4
