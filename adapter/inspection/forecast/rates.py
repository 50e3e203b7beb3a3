"""How long steps take, as learned from those that were done (adapter/steps/lua/pace.lua). Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN_S = 1.0
"""Seconds for a weight of 1 as long as nothing is known: weights are seconds of a typical machine."""
UNKNOWN_SPREAD = 0.1
SURE_WEIGHT_S = 5
"""A job's own pace counts from so many typical steps on."""
NARROW, WIDE = 0.3, 4.0
"""A job's own pace is between these, beside the others'."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one action."""

    seconds: float
    """For a weight of 1."""
    spread: float
    """The standard deviation of the logarithm of what a step takes."""


class Rates:
    """The rates of all actions."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Read the hash of the rates, see keys.py."""
        self._sums: dict[str, tuple[float, float, float]] = {}
        for name in {field.rpartition(":")[0] for field in fields}:
            self._sums[name] = tuple(float(fields.get(f"{name}:{part}") or 0) for part in "swv")  # type: ignore[assignment]
        self._known: dict[tuple[str, str], Rate] = {}

    def of(self, function: str, action: str) -> Rate:
        """The rate of an action; of its function if it was never done, and what is assumed if nothing is known."""
        found = self._known.get((function, action))
        if found is None:
            found = self._known[function, action] = self._find(function, action)
        return found

    def _find(self, function: str, action: str) -> Rate:
        seconds, weights, spread = self._sums.get(f"{function}/{action}", (0.0, 0.0, 0.0))
        if weights <= 0 or seconds <= 0:
            others = [sums for name, sums in self._sums.items() if name.startswith(f"{function}/")]
            seconds, weights = sum(sums[0] for sums in others), sum(sums[1] for sums in others)
            spread = UNKNOWN_SPREAD
        if weights <= 0 or seconds <= 0:
            return Rate(UNKNOWN_S, math.sqrt(math.log1p(UNKNOWN_SPREAD)))
        return Rate(seconds / weights, math.sqrt(math.log1p(max(0.0, spread))))


def pace_of(took_s: float, expected_s: float, steps: int) -> float:
    """How much longer a job's steps take than those of others.

    Args:
        took_s: what those that are done took.
        expected_s: what they were expected to take.
        steps: how many they are.

    Returns:
        1 as long as few are done.
    """
    if steps <= 0 or expected_s <= 0:
        return 1.0
    prior_s = SURE_WEIGHT_S * expected_s / steps
    return min(WIDE, max(NARROW, (took_s + prior_s) / (expected_s + prior_s)))
