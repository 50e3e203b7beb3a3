"""Which jobs are well, after several looks of 5 s."""

import pytest

from adapter.delivery.rq.sightings import JobSight, Sightings, Verdict

QUEUED = JobSight("queued", "", None, is_between=False)
BETWEEN = JobSight("queued", "", None, is_between=True)
VANISHED = JobSight(None, "", None, is_between=False)
FINISHED = JobSight("finished", "w", None, is_between=False)


def at_work(beat):
    return JobSight("started", "w", beat, is_between=False)


def judged(looks, interval_s=5.0):
    """The verdict after each look at one job."""
    sightings = Sightings()
    return [sightings.judge({"one": sight}, number * interval_s) for number, sight in enumerate(looks)]


def test_judge_worker_whose_heartbeat_changes_is_never_given_up():
    assert judged([at_work(f"beat {number}") for number in range(100)]) == [Verdict()] * 100


def test_judge_worker_that_is_silent_is_given_up_after_30_s_and_not_before():
    verdicts = judged([at_work("the last")] * 8)
    assert [bool(verdict.orphaned) for verdict in verdicts] == [False] * 6 + [True] * 2
    assert verdicts[-1].orphaned == {"one": "w"}


def test_judge_worker_that_beats_but_works_on_another_job_is_given_up_likewise():
    verdicts = judged([at_work("1"), *[at_work(None)] * 7])
    assert [bool(verdict.orphaned) for verdict in verdicts] == [False] * 6 + [True] * 2


def test_judge_pause_of_the_observer_counts_little_against_a_worker():
    # an hour passed in which nobody looked: at most 7.5 s of it count
    assert not judged([at_work("1"), at_work("1")], interval_s=3600)[-1].orphaned


def test_judge_after_redis_was_away_begins_anew():
    sightings = Sightings()
    for number in range(6):
        sightings.judge({"one": at_work("1")}, number * 5.0)
    sightings.forget()
    assert not sightings.judge({"one": at_work("1")}, 30.0).orphaned


def test_judge_queued_job_waits_for_ever():
    assert judged([QUEUED] * 1000) == [Verdict()] * 1000


@pytest.mark.parametrize("sight", [VANISHED, FINISHED])
def test_judge_job_without_an_answer_to_come_is_lost_at_the_third_look_in_a_row(sight):
    assert [bool(verdict.lost) for verdict in judged([sight] * 3)] == [False, False, True]
    assert [bool(verdict.lost) for verdict in judged([sight, sight, QUEUED, sight, sight])] == [False] * 5


def test_judge_job_taken_and_not_begun_is_stranded_at_the_third_look_in_a_row():
    assert [bool(verdict.stranded) for verdict in judged([BETWEEN] * 3)] == [False, False, True]
    assert not any(verdict.stranded for verdict in judged([BETWEEN, BETWEEN, at_work("1"), BETWEEN, BETWEEN]))


def test_judge_job_that_nobody_waits_for_any_more_is_forgotten():
    sightings = Sightings()
    for number in range(3):
        sightings.judge({"one": VANISHED}, number * 5.0)
    assert sightings.judge({}, 15.0) == Verdict()
