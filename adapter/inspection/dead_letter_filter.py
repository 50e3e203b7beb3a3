"""Which dead letters an operator means, and what they have in common. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapter.inspection.dead_letter_reader import DeadLetter

KINDS = ("job", "message", "statement")
"""What dead letters are of, see keys.py."""


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """A choice of dead letters: all that match every condition. What is empty or None is no condition."""

    kind: str = ""
    """One of KINDS."""
    since_s: float | None = None
    """They became dead letters at this time or later, in seconds since the epoch."""
    reason: str = ""
    """Part of the reason, whatever the case of its letters."""

    def matches(self, letter: DeadLetter) -> bool:
        """Whether a dead letter is meant."""
        return (
            (not self.kind or letter.kind == self.kind)
            and (self.since_s is None or letter.since_s >= self.since_s)
            and self.reason.casefold() in letter.reason.casefold()
        )


@dataclass(slots=True)
class DeadLetterGroup:
    """Dead letters of a kind with the same reason."""

    kind: str
    reason: str
    count: int
    first_s: float
    """When the first of them became one, in seconds since the epoch."""
    latest_s: float


def group_dead_letters(letters: Sequence[DeadLetter]) -> list[DeadLetterGroup]:
    """Group dead letters by what they have in common, the largest group first."""
    groups: dict[tuple[str, str], DeadLetterGroup] = {}
    for letter in letters:
        group = groups.setdefault(
            (letter.kind, letter.reason),
            DeadLetterGroup(letter.kind, letter.reason, 0, letter.since_s, letter.since_s),
        )
        group.count += 1
        group.first_s = min(group.first_s, letter.since_s)
        group.latest_s = max(group.latest_s, letter.since_s)
    return sorted(groups.values(), key=lambda group: (-group.count, -group.latest_s))
