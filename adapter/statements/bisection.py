"""Poison bisection: a batch that fails is halved until the statements that make it fail are alone. Pure.

A batch may fail because of its content (a statement that makes the LRS or the function fail) or because of its timing
(the LRS is overloaded). Halving finds the former and does no harm in the latter case. But a single statement is given
up only if others have succeeded in the meantime, again and again: as long as nothing succeeds, the cause lies
elsewhere, and nothing is given up.
"""

from dataclasses import dataclass, replace

from podjobs.contract.statements import StatementEntry

GIVE_UP_AFTER = 8
"""Failures of a single statement, each with successes of others since the previous one."""

ALONE_FROM = 4
"""Statements that are delivered one by one rather than in halves: never more deliveries, whichever of them are bad."""


@dataclass(frozen=True, slots=True)
class SubBatch:
    """A batch, or what is left of it: statements that are delivered together."""

    entries: tuple[StatementEntry, ...]
    attempt: int = 1
    failures: int = 0
    """In a row."""
    alone_failures: int = 0
    """Those that count against a single statement."""
    successes_seen: int = 0
    """How many of the function's deliveries had succeeded when this sub-batch was created or last failed."""

    @property
    def is_suspect(self) -> bool:
        """Whether it is a single statement that has failed."""
        return len(self.entries) == 1 and self.failures > 0

    def without(self, entry_ids: frozenset[str]) -> "SubBatch":
        """What is left once these entries are settled; the same sub-batch if there are none."""
        if not entry_ids:
            return self
        left = tuple(entry for entry in self.entries if entry.entry_id not in entry_ids)
        return SubBatch(left, self.attempt + 1, successes_seen=self.successes_seen)

    def split_first(self) -> "tuple[SubBatch, tuple[SubBatch, ...]]":
        """The first statement alone, which shows as well as all whether any can be delivered, and the rest."""
        if len(self.entries) == 1:
            return self, ()
        first = SubBatch(self.entries[:1], self.attempt, successes_seen=self.successes_seen)
        return first, (replace(self, entries=self.entries[1:]),)

    def next_attempt(self) -> "SubBatch":
        """The same sub-batch for another attempt, if the failure was not its fault."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class Bisection:
    """What to do with a sub-batch that failed."""

    sub_batches: tuple[SubBatch, ...] = ()
    """What is delivered next."""
    poison: StatementEntry | None = None
    """The statement to give up."""
    others_succeed: bool = False
    """Whether other deliveries have succeeded since: the cause lies in this sub-batch."""


def bisect_failed(failed: SubBatch, successes: int, *, is_refusal: bool = False) -> Bisection:
    """Decide what to do with a sub-batch whose own content may have caused the failure.

    Args:
        failed: the sub-batch.
        successes: how many of the function's deliveries have succeeded so far.
        is_refusal: it was refused as a whole, and would be again.
    """
    others_succeed = successes > failed.successes_seen
    if len(failed.entries) > 1 and (is_refusal or others_succeed or failed.failures > 0):
        size = 1 if len(failed.entries) <= ALONE_FROM else (len(failed.entries) + 1) // 2
        parts = (failed.entries[start : start + size] for start in range(0, len(failed.entries), size))
        sub_batches = tuple(SubBatch(part, failed.attempt + 1, successes_seen=successes) for part in parts)
        return Bisection(sub_batches, others_succeed=others_succeed)
    counted = failed.alone_failures + (1 if others_succeed and len(failed.entries) == 1 else 0)
    if counted >= (1 if is_refusal else GIVE_UP_AFTER):
        return Bisection(poison=failed.entries[0], others_succeed=others_succeed)
    again = replace(
        failed,
        attempt=failed.attempt + 1,
        failures=failed.failures + 1,
        alone_failures=counted,
        successes_seen=successes,
    )
    return Bisection((again,), others_succeed=others_succeed)
