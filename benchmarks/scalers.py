"""How many instances there should be, as the scalers of Knative, of Kubernetes with KEDA, and of Lambda say. Pure.

Sources: Knative, "Configuring the Knative Pod Autoscaler" and config-autoscaler's defaults; Kubernetes, "Horizontal
Pod Autoscaling", algorithm and default behaviour; KEDA, "Scaling deployments"; AWS Lambda, "Understanding Lambda
function scaling".
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class Scaler(Protocol):
    """Decides at regular times."""

    interval_s: float
    """Between two decisions."""

    def decide(self, now_s: float, in_flight: int, instances: int) -> int:
        """How many instances there should be.

        Args:
            now_s: of decisions, one after another.
            in_flight: steps that are performed or wait for an instance.
            instances: that there are, those included that start.
        """
        ...


@dataclass
class Knative:
    """Knative's autoscaler: the mean concurrency of a minute, and of six seconds when there is panic."""

    most: int
    target: float = 0.7
    """Steps an instance: containerConcurrency 1, of which 70 % count."""
    interval_s: float = 2.0
    stable_s: float = 60.0
    panic_s: float = 6.0
    panic_factor: float = 2.0
    down_factor: float = 2.0
    grace_s: float = 30.0
    _samples: deque[tuple[float, int]] = field(default_factory=deque)
    _panic_until_s: float = -1.0
    _panic_most: int = 0
    _zero_since_s: float | None = None

    def decide(self, now_s: float, in_flight: int, instances: int) -> int:
        """See Scaler."""
        self._samples.append((now_s, in_flight))
        while self._samples[0][0] <= now_s - self.stable_s:
            self._samples.popleft()
        stable = math.ceil(self._mean(now_s, self.stable_s) / self.target)
        panic = math.ceil(self._mean(now_s, self.panic_s) / self.target)
        if panic >= self.panic_factor * max(1, instances):
            if now_s > self._panic_until_s:
                self._panic_most = instances
            self._panic_until_s = now_s + self.stable_s
        if now_s <= self._panic_until_s:
            self._panic_most = max(self._panic_most, panic, stable)
            wanted = self._panic_most
        else:
            wanted = max(stable, math.floor(instances / self.down_factor)) if stable else 0
        return min(self.most, self._linger(now_s, wanted, instances))

    def _mean(self, now_s: float, window_s: float) -> float:
        """Over the window; before the first sample, nothing was in flight."""
        return sum(count for time_s, count in self._samples if time_s > now_s - window_s) * self.interval_s / window_s

    def _linger(self, now_s: float, wanted: int, instances: int) -> int:
        """The last instances stay for a while."""
        if wanted or not instances:
            self._zero_since_s = None
            return wanted
        if self._zero_since_s is None:
            self._zero_since_s = now_s
        return 0 if now_s - self._zero_since_s >= self.grace_s else 1


@dataclass
class Keda:
    """KEDA between none and one, and the horizontal autoscaler of Kubernetes from one on."""

    most: int
    target: float = 1.0
    """Steps an instance."""
    interval_s: float = 5.0
    """KEDA's own, between none and one: its pollingInterval in knative/."""
    sync_s: float = 15.0
    """The horizontal autoscaler's."""
    tolerance: float = 0.1
    up_factor: int = 2
    up_least: int = 4
    down_window_s: float = 60.0
    """The largest decision of this time is not undercut: scaleDown's stabilizationWindowSeconds in knative/."""
    cooldown_s: float = 30.0
    """After the last work, until there is none: cooldownPeriod in knative/."""
    _next_sync_s: float = 0.0
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)
    _worked_s: float = -math.inf

    def decide(self, now_s: float, in_flight: int, instances: int) -> int:
        """See Scaler."""
        if in_flight:
            self._worked_s = now_s
        if not instances:
            return 1 if in_flight else 0
        if now_s - self._worked_s >= self.cooldown_s:
            self._wanted.clear()
            return 0
        if now_s < self._next_sync_s:
            return instances
        self._next_sync_s = now_s + self.sync_s
        ratio = in_flight / (self.target * instances)
        wanted = instances if abs(ratio - 1) <= self.tolerance else max(1, math.ceil(in_flight / self.target))
        self._wanted.append((now_s, wanted))
        while self._wanted[0][0] <= now_s - self.down_window_s:
            self._wanted.popleft()
        if wanted < instances:
            wanted = min(instances, max(count for _, count in self._wanted))
        return min(self.most, wanted, max(instances * self.up_factor, instances + self.up_least))


@dataclass
class LambdaPool:
    """Lambda: an environment for every step at once, up to the reserved concurrency; 1,000 new ones in ten seconds."""

    most: int
    interval_s: float = 1.0
    burst: int = 1000
    burst_s: float = 10.0
    idle_s: float = 300.0
    """After which an environment that waits is gone; not published, and not paid for."""
    _started: deque[tuple[float, int]] = field(default_factory=deque)

    def room(self, now_s: float, wanted: int) -> int:
        """How many of the wanted environments may be started now; they are counted as started."""
        while self._started and self._started[0][0] <= now_s - self.burst_s:
            self._started.popleft()
        count = max(0, min(wanted, self.burst - sum(started for _, started in self._started)))
        if count:
            self._started.append((now_s, count))
        return count
