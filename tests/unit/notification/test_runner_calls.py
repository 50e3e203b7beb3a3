"""Whether a runner client is called, waited for, or done with. Source: docs/contract-pod-runner.md, rows i to m."""

import pytest

from podjobs.notification.runner_calls import (
    NOT_SENT,
    CallMark,
    Next,
    Receipt,
    RunnerWaits,
    Situation,
    choose_next,
    next_mark,
    still_counts,
)

WAITS = RunnerWaits(hold_s=30, may_run_s=900, settle_s=60, receipt_s=60, most_calls=3)
NAMES = ("info_video.json", "360p_a.m3u8", "360p_a.ts", "encoding.log", "a_0.png", "overview.vtt")
ALL = dict.fromkeys(NAMES[:3], 100.0)


def decide(mark=None, fetched=(), *, told="completed", dialect="v4", ago=8000.0, now=10_000.0):
    return choose_next(Situation(told, dialect, mark, Receipt.of(NAMES, dict(fetched)), ago, now), WAITS)


def mark(status, *, since=0.0, calls=1, lost=0, told="completed"):
    return CallMark(told, calls, lost, 10_000.0 - since, status)


@pytest.mark.parametrize("told", ["completed", "failed"])
@pytest.mark.parametrize("dialect", ["v4", "v5"])
def test_choose_next_first_call_is_held_until_the_answer_is_stored(dialect, told):
    early = decide(told=told, dialect=dialect, ago=4.0)
    assert (early.next, early.wait_s) == (Next.HOLD, 26.0)
    assert decide(told=told, dialect=dialect, ago=30.0).next is Next.CALL


def test_choose_next_clock_of_the_answer_that_is_ahead_holds_no_longer_than_the_hold():
    assert decide(ago=-3600.0).wait_s == 30.0


@pytest.mark.parametrize("status", [NOT_SENT, 404, 500, 503])
def test_choose_next_after_a_refusal_is_a_call(status):
    assert decide(mark(status)).next is Next.CALL
    assert decide(mark(status), ago=4.0).next is Next.HOLD  # the request was repeated meanwhile


@pytest.mark.parametrize("dialect", ["v4", "v5"])
@pytest.mark.parametrize("told", ["completed", "failed"])
def test_choose_next_while_a_call_may_run_is_to_wait(dialect, told):
    """Also for a call that said something else: two at once would import the same video twice."""
    assert decide(mark(None, since=899), told=told, dialect=dialect).next is Next.WAIT
    assert decide(mark(None, since=901), told=told, dialect=dialect).next is Next.CALL


def test_choose_next_while_files_are_fetched_is_to_wait():
    assert decide(mark(None, since=5000), {"360p_a.ts": 59.0}).next is Next.WAIT
    assert decide(mark(200, since=5000), {"360p_a.ts": 59.0}).next is Next.WAIT


def test_choose_next_second_silence_after_all_was_fetched_is_the_end():
    """Its import always takes longer than it is waited for."""
    assert decide(mark(None, since=901), ALL).next is Next.CALL
    assert decide(mark(None, since=901, lost=1), ALL).next is Next.DONE
    assert decide(mark(None, since=901, lost=1), {"360p_a.ts": 100.0}).next is Next.CALL


@pytest.mark.parametrize(("told", "dialect"), [("failed", "v4"), ("completed", "v5"), ("failed", "v5")])
def test_choose_next_success_that_can_be_believed_is_the_end(told, dialect):
    assert decide(mark(200, told=told), told=told, dialect=dialect).next is Next.DONE


def test_choose_next_success_of_v4_is_the_end_once_all_is_fetched():
    assert decide(mark(200), ALL).next is Next.DONE
    waiting = decide(mark(200, since=59))
    assert waiting.next is Next.WAIT
    assert waiting.sentence == (
        "Pod answered 200, but has not fetched '360p_a.m3u8', '360p_a.ts', 'info_video.json' yet. It will be called "
        "again if it does not."
    )


def test_choose_next_success_without_a_receipt_is_called_again_at_longer_intervals():
    assert decide(mark(200, since=61)).next is Next.CALL
    assert decide(mark(200, since=239, calls=2)).next is Next.WAIT
    assert decide(mark(200, since=241, calls=2)).next is Next.CALL


def test_choose_next_what_an_earlier_call_fetched_does_not_speak_for_a_later_one():
    """The answer to the first call was lost, and the import of the second one broke off behind its 200."""
    assert decide(mark(200, since=50, lost=1), ALL).next is Next.WAIT  # fetched 100 s ago
    assert decide(mark(200, since=50, lost=1), dict.fromkeys(ALL, 40.0)).next is Next.DONE
    assert decide(mark(200, since=90, lost=1), ALL).next is Next.CALL
    assert decide(mark(200, since=250, calls=2), dict.fromkeys(ALL, 300.0)).next is Next.CALL
    # it may have it already, and fetch nothing again
    assert decide(mark(200, since=50, calls=3), ALL).next is Next.DONE


def test_choose_next_no_receipt_after_the_last_call_is_given_up():
    given_up = decide(mark(200, since=961, calls=3))
    assert given_up.next is Next.GIVE_UP
    assert "however often it was called (3 times)" in given_up.sentence
    assert decide(mark(200, since=961, calls=3), {"360p_a.ts": 500.0}).next is Next.GIVE_UP


@pytest.mark.parametrize("dialect", ["v4", "v5"])
def test_choose_next_request_that_was_repeated_since_the_call_is_called_again(dialect):
    """Pod has deleted what it had imported."""
    assert decide(mark(200, since=50), ALL, dialect=dialect, ago=20.0).next is Next.HOLD
    assert decide(mark(200, since=50), ALL, dialect=dialect, ago=40.0).next is Next.CALL
    assert decide(mark(200, since=50), ALL, dialect=dialect, ago=80.0).next is Next.DONE


def test_choose_next_failure_after_a_completion_that_was_told_is_called():
    assert decide(mark(200, since=5), told="failed").next is Next.CALL


@pytest.mark.parametrize(
    ("last", "calls", "lost"),
    [
        (None, 1, 0),
        (mark(500, calls=2), 2, 0),
        (mark(200, calls=2), 3, 0),
        (mark(None, calls=2, lost=1), 2, 2),
        (mark(200, calls=2, lost=1, told="failed"), 1, 0),
    ],
)
def test_next_mark_counts_successes_and_silences(last, calls, lost):
    assert next_mark(last, "completed", 7.0, 0.0) == CallMark("completed", calls, lost, 7.0, None, 0.0)


def test_mark_of_a_run_before_the_job_was_replayed_does_not_count_unless_its_call_may_still_run():
    ended, under_way = mark(200, calls=3), mark(None, calls=3)
    assert still_counts(ended, 0.0) == ended
    assert still_counts(ended, 5.0) is None
    assert still_counts(under_way, 5.0) == under_way
    assert still_counts(None, 5.0) is None
    assert next_mark(under_way, "completed", 7.0, 5.0) == CallMark("completed", 1, 0, 7.0, None, 5.0)


def test_mark_is_read_as_it_was_written_and_anything_else_is_none():
    written = mark(200, calls=2)
    assert CallMark.read(written.written()) == written
    for text in (b"", b"[]", b"{", b'{"told": "completed"}', b'{"other": 1}'):
        assert CallMark.read(text) is None


def test_receipt_of_no_results_is_never_complete():
    assert not Receipt.of((), {}).is_complete
    assert not Receipt.of(("encoding.log",), {"encoding.log": 1.0}).is_complete
