"""Adapter, function and LRS killed at seeded moments while statements come in; what is left in the end."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.lrs import read_counts, read_ids
from benchmarks.xapi_messages import messages_of, new_statement
from benchmarks.xapi_stack import Part, XapiStack

SETTINGS = {"PODJOBS_LEASE_S": "2", "PODJOBS_SWEEP_S": "0.5", "PODJOBS_BUSY_CAP_S": "2"}
"""Waits that a measurement can bear; a lease is 15 s otherwise."""
SETTLE_LIMIT_S = 240


@dataclass(frozen=True)
class Aftermath:
    """What is left when all is over."""

    kills: Counter[str]
    missing: int
    """Statements that were sent and that the LRS does not have."""
    strange: int
    """Statements the LRS has more often than once, or that were not sent."""
    repeated: int
    """Statements that were handed to the LRS again, the same as before."""
    conflicts: int
    """Requests with a statement that differs from the one the LRS has under its id."""
    left: dict[str, int]
    """What is still in Redis, by key."""
    took_s: float

    @property
    def is_clean(self) -> bool:
        """Each statement is in the LRS exactly once, and nowhere else."""
        return not (self.missing or self.strange or self.conflicts or self.left)


def survive(stack: XapiStack, count: int, seed: int, *, portions: int, pause_s: tuple[float, float]) -> Aftermath:
    """Send statements, and kill what should deliver them, until all are settled.

    Args:
        stack: running; left running.
        count: how many statements.
        seed: of the moments and victims.
        portions: the statements are sent in so many, so that each part is killed in each of its states.
        pause_s: shortest and longest time between two kills.
    """
    chance = random.Random(seed)
    kills: Counter[str] = Counter()
    start_s = time.monotonic()
    size = count // portions
    # once each in a random order first, then as chance will have it
    victims: list[Part] = chance.sample(stack.parts, len(stack.parts))
    for portion in range(portions):
        first = portion * size
        stack.push(messages_of(first, count - first if portion == portions - 1 else size, seed))
        time.sleep(chance.uniform(*pause_s))
        victim = victims.pop() if victims else chance.choice(stack.parts)
        victim.kill()
        kills[victim.name] += 1
        time.sleep(chance.uniform(0, 0.5))
        victim.start()
    for part in stack.parts:
        part.wait()
    _wait_until_settled(stack, count)
    return _look(stack, [new_statement(number, seed)["id"] for number in range(count)], kills, start_s)


def _wait_until_settled(stack: XapiStack, count: int) -> None:
    deadline_s = time.monotonic() + SETTLE_LIMIT_S
    while (stack.accepted() < count or stack.left()) and time.monotonic() < deadline_s:
        time.sleep(0.2)


def _look(stack: XapiStack, sent: Sequence[str], kills: Counter[str], start_s: float) -> Aftermath:
    found = Counter(read_ids(stack.store))
    counts = read_counts(stack.store)
    return Aftermath(
        kills=kills,
        missing=len(set(sent) - set(found)),
        strange=sum(found.values()) - len(set(sent) & set(found)),
        repeated=counts.get("repeated", 0),
        conflicts=counts.get("conflicts", 0),
        left=stack.left(),
        took_s=time.monotonic() - start_s,
    )
