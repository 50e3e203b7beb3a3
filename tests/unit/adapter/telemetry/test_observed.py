"""What an adapter has seen of steps and jobs: exact counts."""

import pytest

from adapter.steps.entries import ClaimedStep
from adapter.steps.history import AttemptOutcome
from adapter.steps.observer import AttemptEnd, JobEnd
from adapter.telemetry.observed import ATTEMPT_BOUNDS_S, MOST_ACTIONS, OTHER, Distribution, Observed
from podjobs.contract.plans import StepSpec
from podjobs.contract.usage import Usage
from support.jobs import encoding_job


def attempt(action="chunk", outcome=AttemptOutcome.DONE, ran_s=2.0, usage=None):
    spec = StepSpec(id="step", function="encoding", action=action)
    return AttemptEnd(ClaimedStep("encoding", "1-0", "job-1", spec, 1), outcome, ran_s, usage)


def test_distribution_counts_what_is_not_above_a_bound():
    seen = Distribution((1, 10))
    for took_s in (0.5, 1, 1.1, 10, 11):
        seen.add(took_s)
    assert (seen.counts, seen.sum_s) == ([2, 2, 1], pytest.approx(23.6))


def test_attempts_are_told_apart_by_function_action_and_outcome():
    observed = Observed()
    observed.attempt_ended(attempt(ran_s=2))
    observed.attempt_ended(attempt(ran_s=4))
    observed.attempt_ended(attempt(outcome=AttemptOutcome.RETRIED, ran_s=0.1))
    found = observed.attempts.found
    assert found.keys() == {("encoding", "chunk", "done"), ("encoding", "chunk", "retried")}
    done = found["encoding", "chunk", "done"]
    assert (sum(done.counts), done.sum_s, done.bounds_s) == (2, 6, ATTEMPT_BOUNDS_S)


def test_usage_is_added_up_and_memory_is_weighed_by_time():
    observed = Observed()
    used = Usage(cpu_s=1.5, memory_bytes=100, read_bytes=10, written_bytes=20)
    for ran_s in (2, 3):
        observed.attempt_ended(attempt(ran_s=ran_s, usage=used))
    observed.attempt_ended(attempt(ran_s=100))
    counts = (observed.cpu_s, observed.memory_byte_s, observed.read_bytes, observed.written_bytes)
    assert [count.numbers["encoding",] for count in counts] == [3.0, 500, 20, 40]


def test_actions_without_end_give_no_series_without_end():
    observed = Observed()
    for number in range(MOST_ACTIONS + 50):
        observed.attempt_ended(attempt(f"action-{number}"))
    observed.attempt_ended(attempt("action-0"))
    found = observed.attempts.found
    assert len(found) == MOST_ACTIONS + 1
    assert sum(found["encoding", OTHER, "done"].counts) == 50
    assert sum(found["encoding", "action-0", "done"].counts) == 2


@pytest.mark.parametrize(("state", "age_s", "count"), [("done", 5.0, 1), ("failing", 0.0, 0), ("failed", 0.0, 0)])
def test_job_is_counted_when_it_has_ended_and_its_age_is_known(state, age_s, count):
    observed = Observed()
    observed.job_ended(JobEnd(encoding_job(), state, age_s))
    assert len(observed.jobs.found) == count
