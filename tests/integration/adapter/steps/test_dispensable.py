"""A step without which its job goes on: when it fails for good, the job continues."""

import pytest

from adapter.inspection.job_reader import JobReader
from podjobs.contract.plans import Plan, Stage, StepSpec
from podjobs.contract.workflows import TOPIC, TOPIC_STEP
from support.problems import problem_answer

AFTER = StepSpec(id="after", function="encoding", action="work", needs=(TOPIC,))
PLAN = Plan(stages=(Stage(name=TOPIC, steps=(TOPIC_STEP,)), Stage(name="work", steps=(AFTER,))))


@pytest.mark.parametrize(
    ("status", "attempts"),
    [
        (400, 1),  # another version of the function, which has no such action
        (500, 2),  # not as often as its function's other steps
    ],
)
async def test_dispensable_step_that_fails_for_good_counts_as_done(
    records, make_job, function, start, wait_state, dead, jobs_redis, status, attempts
):
    function.answers = [PLAN, *(problem_answer(status, "It does not work.") for _ in range(attempts))]
    await records.accept([make_job()])
    await start()
    await start(name="notification")
    await wait_state("done")
    assert [asked["action"] for asked in function.asked] == ["plan", *[TOPIC] * attempts, "work"]
    assert function.asked[-1]["results"] == {TOPIC: {}}
    assert await dead() == []
    log = " ".join(await JobReader(jobs_redis).log("job-1"))
    assert "The step 'topic' was given up, and the job goes on without: It does not work." in log
