"""A poisonous statement is found and given up; during an outage nothing is given up."""

import random

import pytest

from adapter.statements.bisection import GIVE_UP_AFTER, SubBatch, bisect_failed
from support.statements import entries_of


def sub_batch_of(count, **more):
    return SubBatch(entries_of(*({"n": number} for number in range(count))), **more)


def test_bisect_failed_first_failure_retries_the_whole_batch():
    bisection = bisect_failed(sub_batch_of(8, successes_seen=3), 3)
    (again,) = bisection.sub_batches
    assert (len(again.entries), again.failures, again.attempt) == (8, 1, 2)
    assert not bisection.others_succeed


@pytest.mark.parametrize(
    ("failures", "successes", "is_refusal"), [(1, 0, False), (0, 1, False), (0, 0, True)], ids=["again", "alone", "4xx"]
)
def test_bisect_failed_batch_is_halved(failures, successes, is_refusal):
    bisection = bisect_failed(sub_batch_of(5, failures=failures), successes, is_refusal=is_refusal)
    assert [len(half.entries) for half in bisection.sub_batches] == [3, 2]
    assert all(half.failures == 0 for half in bisection.sub_batches)
    assert sum((half.entries for half in bisection.sub_batches), ()) == sub_batch_of(5).entries


def test_bisect_failed_single_statement_is_given_up_when_others_succeed_again_and_again():
    sub_batch = sub_batch_of(1)
    for successes in range(1, GIVE_UP_AFTER):
        (sub_batch,) = bisect_failed(sub_batch, successes).sub_batches
        assert sub_batch.is_suspect
    assert bisect_failed(sub_batch, GIVE_UP_AFTER).poison == sub_batch.entries[0]


def test_bisect_failed_single_refused_statement_is_given_up_as_soon_as_others_succeed():
    (sub_batch,) = bisect_failed(sub_batch_of(1), 0, is_refusal=True).sub_batches
    assert bisect_failed(sub_batch, 1, is_refusal=True).poison


@pytest.mark.parametrize("is_refusal", [True, False])
def test_bisect_failed_nothing_is_given_up_while_nothing_succeeds(is_refusal):
    sub_batches = [sub_batch_of(20, successes_seen=7)]
    for _ in range(2000):
        sub_batch = sub_batches.pop(0)
        bisection = bisect_failed(sub_batch, 7, is_refusal=is_refusal)
        assert not bisection.poison
        sub_batches += bisection.sub_batches
    assert sum(len(sub_batch.entries) for sub_batch in sub_batches) == 20


@pytest.mark.parametrize("seed", range(20))
def test_bisect_failed_finds_exactly_the_poisonous_statements(seed):
    """As the dispatch does it: what holds a bad statement fails; others succeed meanwhile, or not."""
    chance = random.Random(seed)
    whole = sub_batch_of(chance.randint(1, 60))
    bad = set(chance.sample([entry.entry_id for entry in whole.entries], chance.randint(0, min(5, len(whole.entries)))))
    waiting, given_up, gone, successes, rounds = [whole], set(), set(), 0, 0
    while waiting and rounds < 5000:
        rounds += 1
        successes += chance.random() < 0.5
        sub_batch = waiting.pop(chance.randrange(len(waiting)))
        names = {entry.entry_id for entry in sub_batch.entries}
        if names & bad:
            bisection = bisect_failed(sub_batch, successes)
            waiting += bisection.sub_batches
            given_up |= {bisection.poison.entry_id} if bisection.poison else set()
        else:
            gone |= names
            successes += 1
    assert (given_up, gone) == (bad, {entry.entry_id for entry in whole.entries} - bad)


def test_without_settled_entries_the_rest_begins_anew():
    sub_batch = sub_batch_of(3, failures=1, alone_failures=2)
    left = sub_batch.without(frozenset({"1-0", "1-1"}))
    assert ([entry.entry_id for entry in left.entries], left.failures, left.alone_failures) == (["1-2"], 0, 0)
    assert sub_batch.without(frozenset()) is sub_batch


def test_bisect_failed_few_statements_go_one_by_one():
    bisection = bisect_failed(sub_batch_of(4), 1)
    assert [len(part.entries) for part in bisection.sub_batches] == [1, 1, 1, 1]
    assert not any(part.is_suspect for part in bisection.sub_batches)


def test_split_first_is_one_statement_and_the_rest():
    first, (rest,) = sub_batch_of(5, failures=1, successes_seen=3).split_first()
    assert (len(first.entries), len(rest.entries), rest.failures) == (1, 4, 1)
    assert first.entries + rest.entries == sub_batch_of(5).entries
    assert not first.is_suspect
    single = sub_batch_of(1, failures=1)
    assert single.split_first() == (single, ())
