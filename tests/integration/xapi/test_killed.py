"""Law 1 for statements: adapter, function and LRS are killed again and again, and each statement is in the LRS once."""

import random
import time
from collections import Counter

import pytest

from support.durable_lrs import read_counts, read_ids
from support.processes import wait_for
from support.statements import messages_of, new_statement
from support.xapi_stack import running_stack

QUICK = {"PODJOBS_LEASE_S": "2", "PODJOBS_SWEEP_S": "0.5", "PODJOBS_BUSY_CAP_S": "2"}
"""Waits that a test can bear; a lease is 15 s otherwise."""
LATENCY_MS = 100
"""So that a kill often meets a request on its way."""
BETWEEN_KILLS_S = (0.1, 1.0)
SETTLE_TIMEOUT_S = 240


def send_and_kill(stack, count, portions, seed):
    """Send statements, and kill what delivers them at moments that follow from the seed.

    Args:
        stack: running; all its parts run again afterwards.
        count: how many statements.
        portions: they are sent in so many, with a kill after each, so that each part is killed in each of its states.
        seed: of moments and victims.

    Returns:
        How often each part was killed, by name.
    """
    chance = random.Random(seed)
    # once each in a random order first, then as chance will have it
    first = chance.sample(stack.parts, len(stack.parts))
    kills = Counter()
    for portion in range(portions):
        start, end = portion * count // portions, (portion + 1) * count // portions
        stack.push(messages_of(start, end - start, seed))
        time.sleep(chance.uniform(*BETWEEN_KILLS_S))
        victim = first.pop() if first else chance.choice(stack.parts)
        victim.kill()
        kills[victim.name] += 1
        time.sleep(chance.uniform(0, 0.5))
        victim.start()
    for part in stack.parts:
        part.wait()
    return kills


@pytest.mark.parametrize(
    ("count", "portions", "seed"),
    [(3_000, 4, 1), pytest.param(100_000, 40, 2, marks=pytest.mark.slow)],
    ids=["3000", "100000"],
)
def test_killed_processes_lose_and_duplicate_no_statement(tmp_path, count, portions, seed):
    with running_stack(tmp_path, latency_ms=LATENCY_MS, settings=QUICK) as stack:
        kills = send_and_kill(stack, count, portions, seed)
        wait_for(lambda: stack.accepted() >= count and not stack.left(), SETTLE_TIMEOUT_S, lambda: str(stack.left()))
        found = read_ids(stack.store)
    assert set(kills) == {"adapter", "function", "lrs"}
    assert sorted(found) == sorted(new_statement(number, seed)["id"] for number in range(count))
    assert read_counts(stack.store).get("conflicts", 0) == 0
