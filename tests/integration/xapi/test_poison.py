"""Thousands of statements at which the LRS fails, and an LRS that fails at everything for a while."""

import json
import time

import pytest

from adapter.redis import keys
from support.fault_lrs import FaultLrs
from support.processes import wait_for
from support.statements import messages_of, new_statement
from support.xapi_stack import running_stack

QUICK = {"PODJOBS_SWEEP_S": "0.5", "PODJOBS_BUSY_CAP_S": "2"}
"""A suspect fails for half a minute before it is given up; three minutes otherwise."""
POISON, HEALTHY = 3000, 1000
OUTAGE_S = 20
GOOD_S, BAD_S = 300, 600
"""There are some 27,000 requests: a minute or so on two idle processors."""


@pytest.fixture
def lrs():
    lrs = FaultLrs()
    yield lrs
    lrs.close()


@pytest.mark.slow
@pytest.mark.timeout(GOOD_S + BAD_S + 60)
def test_thousands_of_poisonous_statements_end_as_dead_letters_and_the_others_in_the_lrs(tmp_path, lrs):
    poison = {new_statement(number)["id"] for number in range(POISON + HEALTHY) if number % 4}
    lrs.judge = lambda statements: 500 if any(one["id"] in poison for one in statements) else None
    with running_stack(tmp_path, latency_ms=0, settings=QUICK, lrs_url=lrs.url) as stack:
        begun = time.monotonic()
        stack.push(messages_of(0, POISON + HEALTHY))
        wait_for(lambda: len(lrs.stored) == HEALTHY, GOOD_S, lambda: f"{len(lrs.stored)} {stack.left()}")
        # so that others succeed while the last suspects fail
        first = POISON + HEALTHY
        while stack.redis.xlen(keys.DEAD) < POISON:
            assert time.monotonic() - begun < GOOD_S + BAD_S, stack.left()
            stack.push(messages_of(first, 1))
            first += 1
            time.sleep(0.2)
        letters = [fields for _, fields in stack.redis.xrange(keys.DEAD)]
    assert {json.loads(fields["statement"])["id"] for fields in letters} == poison
    assert all("other statements succeeded" in fields["problem"] for fields in letters)
    assert not poison & set(lrs.stored)


@pytest.mark.slow
def test_outage_of_the_lrs_that_looks_like_poison_costs_no_statement(tmp_path, lrs):
    lrs.judge = lambda _: 500
    with running_stack(tmp_path, latency_ms=0, settings=QUICK, lrs_url=lrs.url) as stack:
        stack.push(messages_of(0, HEALTHY))
        time.sleep(OUTAGE_S)
        assert not lrs.stored
        lrs.judge = lambda _: None
        wait_for(lambda: len(lrs.stored) == HEALTHY and not stack.left(), 120, lambda: str(stack.left()))
