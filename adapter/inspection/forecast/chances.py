"""What is not known of the future, drawn at random: how long steps take, and which jobs come. Pure."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

TABLE = 509
"""Quantiles of a distribution; a prime number, so that their order repeats at no regular place."""
LEAST_ARRIVALS = 10
"""With fewer, nothing is known about how often jobs come."""
AT_ONCE = 0.1
"""Jobs that come within so much of the usual time between two of them come together."""
REPEATED = 0.5
"""How much of what has come is expected to come again. With all of it, jobs with much to do were said to be ready too
late in `scripts/bench operate`, with nothing too early, and by as much."""
_NORMAL = NormalDist()
_QUANTILES = [_NORMAL.inv_cdf((number + 0.5) / TABLE) for number in range(TABLE)]


class Noise:
    """What steps take beside what is expected: a log-normal distribution, whose mean is 1."""

    def __init__(self, spread: float, chance: random.Random) -> None:
        """Draw from one distribution.

        Args:
            spread: standard deviation of the logarithm.
            chance: says in which order.
        """
        self._spread = spread
        self._factors = [math.exp(spread * quantile - spread * spread / 2) for quantile in _QUANTILES]
        chance.shuffle(self._factors)
        self._next = 0

    def draw(self) -> float:
        """The next step's factor."""
        self._next += 1
        if self._next >= TABLE:
            self._next = 0
        return self._factors[self._next]

    def left_s(self, expected_s: float, run_s: float, chance: random.Random) -> float:
        """How much longer a step takes that has run for a while.

        Args:
            expected_s: what it was expected to take when it began.
            run_s: for how long it has run.
            chance: draws one of the possible times.
        """
        if self._spread <= 0 or expected_s <= 0:
            return max(0.0, expected_s - run_s)
        past = 0.0
        if run_s > 0:
            past = _NORMAL.cdf(math.log(run_s / expected_s) / self._spread + self._spread / 2)
        quantile = past + (1 - past) * chance.random()
        if not 0 < quantile < 1 - 1e-9:
            return run_s * self._spread
        takes_s = expected_s * math.exp(self._spread * _NORMAL.inv_cdf(quantile) - self._spread**2 / 2)
        return max(0.0, takes_s - run_s)


Arrival = tuple[float, str]
"""When a job comes, and its type."""


def expect_arrivals(
    arrivals: Sequence[tuple[float, str]], now_s: float, chance: random.Random
) -> list[tuple[float, str]]:
    """Which jobs may come in as much time as is remembered. Whole classes upload at once, so that jobs come together.

    Args:
        arrivals: when the latest jobs came, and their types; newest first.
        now_s: since the epoch.
        chance: draws one of the possible courses.

    Returns:
        For each the seconds from now, and its type.
    """
    if len(arrivals) < LEAST_ARRIVALS:
        return []
    span_s = now_s - arrivals[-1][0]
    visits = _visits(arrivals, span_s)
    rate = REPEATED * (len(visits) - 1) / span_s if span_s > 0 else 0.0
    found: list[Arrival] = []
    after_s = chance.expovariate(rate) if rate > 0 else math.inf
    while after_s < span_s:
        found += [(after_s, job_type) for job_type in chance.choice(visits)]
        after_s += chance.expovariate(rate)
    return found


def _visits(arrivals: Sequence[Arrival], span_s: float) -> list[list[str]]:
    """The types of jobs that came together."""
    together_s = AT_ONCE * span_s / len(arrivals)
    visits = [[arrivals[0][1]]]
    for (later_s, _), (at_s, job_type) in pairwise(arrivals):
        if later_s - at_s <= together_s:
            visits[-1].append(job_type)
        else:
            visits.append([job_type])
    return visits
