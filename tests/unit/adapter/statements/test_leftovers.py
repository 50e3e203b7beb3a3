"""What is left of batches comes again: in its order, suspects after their wait, and neither kind before the other."""

import asyncio

from adapter.statements.bisection import SubBatch
from adapter.statements.leftovers import Leftovers
from support.statements import entries_of


def sub_batch(number, *, failures=0, alone_failures=0, count=1):
    entries = entries_of(*({"n": number} for _ in range(count)))
    return SubBatch(entries, failures=failures, alone_failures=alone_failures)


def number_of(taken):
    return taken and taken.entries[0].statement["n"]


def test_take_what_may_succeed_comes_in_its_order():
    leftovers = Leftovers(60)
    leftovers.put([sub_batch(1, count=2), sub_batch(2)])
    leftovers.put([sub_batch(3)])
    assert (leftovers.statements, leftovers.next_s()) == (4, 0)
    assert [number_of(leftovers.take()) for _ in range(4)] == [1, 2, 3, None]
    assert leftovers.next_s() is None


async def test_take_suspects_wait_each_for_itself_and_take_turns_with_the_others():
    leftovers = Leftovers(0.1)
    leftovers.put([sub_batch(number, failures=1) for number in (1, 2)])
    assert leftovers.take() is None
    assert 0 < leftovers.next_s() <= 0.1
    assert leftovers.next_s(with_suspects=False) is None
    await asyncio.sleep(0.15)
    leftovers.put([sub_batch(number) for number in range(3, 9)])
    taken = [number_of(leftovers.take()) for _ in range(8)]
    assert taken == [3, 4, 1, 5, 6, 7, 2, 8]


async def test_take_without_suspects_leaves_them():
    leftovers = Leftovers(0)
    leftovers.put([sub_batch(1, failures=3)])
    assert leftovers.take(with_suspects=False) is None
    assert number_of(leftovers.take()) == 1


def test_drop_suspect_takes_the_one_that_failed_least_while_others_succeeded():
    leftovers = Leftovers(60)
    leftovers.put([sub_batch(number, failures=9, alone_failures=number % 5) for number in range(3, 8)])
    assert [number_of(leftovers.drop_suspect()) for _ in range(6)] == [5, 6, 7, 3, 4, None]
    assert leftovers.suspects == 0
