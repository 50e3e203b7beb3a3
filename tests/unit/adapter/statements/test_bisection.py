"""A statement that spoils its batch is found and put aside; an outage puts nothing aside."""

import random

import pytest

from adapter.statements.bisection import GIVE_UP_AFTER, Part, after_failure
from support.statements import entries_of


def part_of(count, **more):
    return Part(entries_of(*({"n": number} for number in range(count))), **more)


def test_after_failure_first_time_the_batch_is_tried_again_whole():
    isolated = after_failure(part_of(8, successes_seen=3), 3)
    (again,) = isolated.parts
    assert (len(again.entries), again.failures, again.attempt) == (8, 1, 2)
    assert not isolated.others_succeed


@pytest.mark.parametrize(
    ("failures", "successes", "is_refusal"), [(1, 0, False), (0, 1, False), (0, 0, True)], ids=["again", "alone", "4xx"]
)
def test_after_failure_batch_is_halved(failures, successes, is_refusal):
    isolated = after_failure(part_of(5, failures=failures), successes, is_refusal=is_refusal)
    assert [len(half.entries) for half in isolated.parts] == [2, 3]
    assert all(half.failures == 0 for half in isolated.parts)
    assert sum((half.entries for half in isolated.parts), ()) == part_of(5).entries


def test_after_failure_one_alone_is_given_up_when_others_succeed_again_and_again():
    part = part_of(1)
    for successes in range(1, GIVE_UP_AFTER):
        (part,) = after_failure(part, successes).parts
        assert part.is_suspect
    assert after_failure(part, GIVE_UP_AFTER).given_up == part.entries[0]


def test_after_failure_one_alone_that_is_refused_is_given_up_as_soon_as_others_succeed():
    (part,) = after_failure(part_of(1), 0, is_refusal=True).parts
    assert after_failure(part, 1, is_refusal=True).given_up


@pytest.mark.parametrize("is_refusal", [True, False])
def test_after_failure_nothing_is_given_up_while_nothing_goes_through(is_refusal):
    parts = [part_of(20, successes_seen=7)]
    for _ in range(2000):
        part = parts.pop(0)
        isolated = after_failure(part, 7, is_refusal=is_refusal)
        assert not isolated.given_up
        parts += isolated.parts
    assert sum(len(part.entries) for part in parts) == 20


@pytest.mark.parametrize("seed", range(20))
def test_after_failure_finds_exactly_the_statements_that_spoil_their_batch(seed):
    """As the dispatch does it: what holds a bad statement fails; others succeed meanwhile, or not."""
    chance = random.Random(seed)
    whole = part_of(chance.randint(1, 60))
    bad = set(chance.sample([entry.entry_id for entry in whole.entries], chance.randint(0, min(5, len(whole.entries)))))
    waiting, given_up, gone, successes, rounds = [whole], set(), set(), 0, 0
    while waiting and rounds < 5000:
        rounds += 1
        successes += chance.random() < 0.5
        part = waiting.pop(chance.randrange(len(waiting)))
        names = {entry.entry_id for entry in part.entries}
        if names & bad:
            isolated = after_failure(part, successes)
            waiting += isolated.parts
            given_up |= {isolated.given_up.entry_id} if isolated.given_up else set()
        else:
            gone |= names
            successes += 1
    assert (given_up, gone) == (bad, {entry.entry_id for entry in whole.entries} - bad)


def test_without_settled_entries_the_rest_begins_anew():
    part = part_of(3, failures=1, alone_failures=2)
    left = part.without(frozenset({"1-0", "1-1"}))
    assert ([entry.entry_id for entry in left.entries], left.failures, left.alone_failures) == (["1-2"], 0, 0)
    assert part.without(frozenset()) is part
