"""What the page shows of dead letters: no more than a document can hold, however many there are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.inspection.dead_letter_filter import (
    KINDS,
    DeadLetterFilter,
    DeadLetterGroup,
    group_dead_letters,
)
from adapter.inspection.dead_letter_reader import DeadLetter, DeadLetterReader
from adapter.redis import keys
from adapter.redis.connections import RedisClient

AMONG = 2000
"""The newest, among which those that match are looked for."""
GROUPS_SHOWN, LETTERS_SHOWN = 20, 50
_ENTRY = re.compile(r"\d{1,20}-\d{1,20}")


@dataclass(frozen=True, slots=True)
class DeadLetterConditions:
    """What was asked for."""

    filter: DeadLetterFilter
    given: dict[str, str]
    """As they were typed."""
    faults: list[str]
    """Names of those that cannot be read."""
    kinds: tuple[str, ...] = KINDS


def read_dead_letter_conditions(found: Mapping[str, Any]) -> DeadLetterConditions:
    """Read conditions; what is unknown is a fault, for a condition that is left out would choose more.

    Args:
        found: the fields of an address.
    """
    given = {name: str(found.get(name, "")).strip() for name in ("kind", "since", "reason")}
    faults = [] if given["kind"] in {"", *KINDS} else ["kind"]
    since_s = None
    try:
        since_s = datetime.fromisoformat(given["since"]).timestamp() if given["since"] else None
    except ValueError:
        faults.append("since")
    return DeadLetterConditions(DeadLetterFilter(given["kind"], since_s, given["reason"]), given, faults)


def is_entry(text: str) -> bool:
    """Whether a text is the id of an entry of a stream."""
    return bool(_ENTRY.fullmatch(text))


@dataclass(frozen=True, slots=True)
class DeadLettersView:
    """The page of dead letters."""

    total: int
    """All there are."""
    matching: int
    """Those that match, among the newest."""
    groups: list[DeadLetterGroup]
    groups_more: int
    """Groups that are not shown."""
    letters: list[DeadLetter]
    """The newest that match."""

    @property
    def has_older(self) -> bool:
        """Whether there are some that were not looked at."""
        return self.total > AMONG


async def find_dead_letters(redis: RedisClient, wanted: DeadLetterFilter) -> list[DeadLetter]:
    """The newest that match. Raises RedisError."""
    return [letter for letter in await DeadLetterReader(redis).newest(AMONG) if wanted.matches(letter)]


async def view_dead_letters(redis: RedisClient, wanted: DeadLetterFilter) -> DeadLettersView:
    """Read what the page shows. Raises RedisError."""
    found = await find_dead_letters(redis, wanted)
    groups = group_dead_letters(found)
    return DeadLettersView(
        total=await redis.xlen(keys.DEAD),
        matching=len(found),
        groups=groups[:GROUPS_SHOWN],
        groups_more=max(0, len(groups) - GROUPS_SHOWN),
        letters=found[:LETTERS_SHOWN],
    )
