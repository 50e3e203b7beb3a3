"""Which statements of a batch are the cause when it does not go through: halved until they stand alone. Pure.

A batch may fail because of what it holds (a statement that makes the LRS or the function fail) or because of the
time it is delivered at (the LRS is overloaded). Halving finds the first and does not harm the second. But a statement
that stands alone is given up only when others went through meanwhile, again and again: while nothing goes through,
the cause is elsewhere, and nothing is given up.
"""

from dataclasses import dataclass, replace

from podjobs.contract.statements import StatementEntry

GIVE_UP_AFTER = 8
"""Failures of one statement alone, each with successes of others since the one before."""


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, or what is left of it: statements that are delivered together."""

    entries: tuple[StatementEntry, ...]
    attempt: int = 1
    failures: int = 0
    """In a row."""
    alone_failures: int = 0
    """Those that count against a statement that stands alone."""
    successes_seen: int = 0
    """How many deliveries of the function had gone through when this part was made or last failed."""

    @property
    def is_suspect(self) -> bool:
        """One statement that stands alone and has failed."""
        return len(self.entries) == 1 and self.failures > 0

    def without(self, entry_ids: frozenset[str]) -> "Part":
        """What is left of it when these entries are settled; the same part when there are none."""
        if not entry_ids:
            return self
        left = tuple(entry for entry in self.entries if entry.entry_id not in entry_ids)
        return Part(left, self.attempt + 1, successes_seen=self.successes_seen)

    def again(self) -> "Part":
        """The same for another attempt; what kept it from going through has nothing to do with it."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class Isolated:
    """What to do with a part that failed."""

    parts: tuple[Part, ...] = ()
    """What is delivered next."""
    given_up: StatementEntry | None = None
    others_succeed: bool = False
    """Others have gone through since: the cause is in the part."""


def after_failure(part: Part, successes: int, *, is_refusal: bool = False) -> Isolated:
    """Decide what becomes of a part whose own content may be why it failed.

    Args:
        part: what failed.
        successes: how many deliveries of the function have gone through until now.
        is_refusal: it was refused as a whole: the same again would be refused again.
    """
    others_succeed = successes > part.successes_seen
    if len(part.entries) > 1 and (is_refusal or others_succeed or part.failures > 0):
        middle = len(part.entries) // 2
        halves = (part.entries[:middle], part.entries[middle:])
        parts = tuple(Part(half, part.attempt + 1, successes_seen=successes) for half in halves)
        return Isolated(parts, others_succeed=others_succeed)
    counted = part.alone_failures + (1 if others_succeed and len(part.entries) == 1 else 0)
    if counted >= (1 if is_refusal else GIVE_UP_AFTER):
        return Isolated(given_up=part.entries[0], others_succeed=others_succeed)
    again = replace(
        part,
        attempt=part.attempt + 1,
        failures=part.failures + 1,
        alone_failures=counted,
        successes_seen=successes,
    )
    return Isolated((again,), others_succeed=others_succeed)
