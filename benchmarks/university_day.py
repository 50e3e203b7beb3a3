"""The videos of a day at a university: when they come and how long they are. Pure, and the same for the same seed."""

import random
from dataclasses import dataclass

DAY_S = 86_400.0
NOON_S, EVENING_S = 12 * 3600.0, 18 * 3600.0
WHEN = ((0.35, "working day"), (0.35, "noon"), (0.25, "evening"), (0.05, "any time"))
"""Lectures that end at noon and at 18 h are uploaded in a burst."""
NOON_SPREAD_S, EVENING_SPREAD_S = 600.0, 900.0
KINDS = ((0.35, "clip"), (0.45, "lecture"), (0.17, "double lecture"), (0.03, "event"))
CLASSES = ((900.0, "up to 15 min"), (3600.0, "up to 1 h"), (float("inf"), "longer"))
"""By which times to ready are reported."""


@dataclass(frozen=True)
class Video:
    """An upload."""

    name: str
    arrives_s: float
    length_s: float

    @property
    def length_class(self) -> str:
        """How long it is, in words."""
        return next(name for limit_s, name in CLASSES if self.length_s <= limit_s)


def make_day(count: int, seed: int) -> list[Video]:
    """Draw the uploads of a day, in the order in which they come.

    Args:
        count: how many.
        seed: of the chance.
    """
    chance = random.Random(seed)
    drawn = sorted((_arrival_s(chance), _length_s(chance)) for _ in range(count))
    return [Video(f"video-{number:05d}", *video) for number, video in enumerate(drawn)]


def _pick(chance: random.Random, table: tuple[tuple[float, str], ...]) -> str:
    return chance.choices([name for _, name in table], [share for share, _ in table])[0]


def _arrival_s(chance: random.Random) -> float:
    when = _pick(chance, WHEN)
    if when == "noon":
        time_s = chance.gauss(NOON_S + NOON_SPREAD_S, NOON_SPREAD_S)
    elif when == "evening":
        time_s = chance.gauss(EVENING_S + EVENING_SPREAD_S, EVENING_SPREAD_S)
    elif when == "working day":
        time_s = chance.uniform(8 * 3600.0, 20 * 3600.0)
    else:
        time_s = chance.uniform(0.0, DAY_S)
    return min(DAY_S, max(0.0, time_s))


def _length_s(chance: random.Random) -> float:
    kind = _pick(chance, KINDS)
    if kind == "clip":
        return min(1800.0, max(20.0, chance.lognormvariate(5.5, 0.8)))  # median: 4 minutes
    if kind == "lecture":
        return min(5400.0, max(1200.0, chance.gauss(3000.0, 600.0)))
    if kind == "double lecture":
        return chance.uniform(5400.0, 7200.0)
    return chance.uniform(7200.0, 14_400.0)
