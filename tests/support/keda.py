"""What KEDA and Kubernetes' horizontal autoscaler decide, from the numbers of a ScaledObject. Pure.

KEDA asks each trigger at every `pollingInterval`. It takes a Deployment from none to one pod when a trigger is active,
and back to none when none has been for `cooldownPeriod`. Between one and the most, the autoscaler decides; there it
has nothing to say while there are none.

Sources: kedacore/keda, pkg/scalers/redis_streams_scaler.go (lag, else pending entries; active: more than
`activationLagCount`, for both) and pkg/scaling/executor/scale_scaledobjects.go; Kubernetes, "Horizontal Pod
Autoscaling" (algorithm, default behaviour) and pkg/controller/podautoscaler.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

SYNC_S = 15.0
"""Between two decisions of the autoscaler (`--horizontal-pod-autoscaler-sync-period`)."""
TOLERANCE = 0.1
"""By which a metric may miss its target (`--horizontal-pod-autoscaler-tolerance`)."""
UP_PODS, UP_FACTOR = 4, 2
"""What the default behaviour lets come in 15 s, one sync: so many pods, or so many times as many."""
DEFAULT_DOWN_WINDOW_S = 300.0

Counts = Sequence[int | None]
"""Of the triggers, in their order. None: Redis has refused, or does not answer."""


class Metric(Enum):
    """What a trigger counts."""

    LAG = "lagCount"
    PENDING = "pendingEntriesCount"


@dataclass(frozen=True)
class Trigger:
    """One of type `redis-streams`."""

    stream: str
    group: str
    database: int
    metric: Metric
    target: int
    """Entries a pod."""
    activation: int

    @classmethod
    def read(cls, metadata: dict[str, str]) -> Self:
        """Read the metadata of a trigger. A lag of 0, as KEDA sees it, is none."""
        metric = Metric.LAG if int(metadata.get(Metric.LAG.value, 0)) else Metric.PENDING
        return cls(
            metadata["stream"],
            metadata["consumerGroup"],
            int(metadata["databaseIndex"]),
            metric,
            int(metadata[metric.value]),
            int(metadata.get("activationLagCount", 0)),
        )


@dataclass(frozen=True)
class Scaling:
    """The numbers of a ScaledObject."""

    name: str
    triggers: tuple[Trigger, ...]
    most: int
    polling_s: float
    cooldown_s: float
    up_window_s: float
    down_window_s: float

    @classmethod
    def read(cls, manifest: dict[str, Any]) -> Self:
        """Read a ScaledObject; what it leaves out is as KEDA and Kubernetes have it."""
        spec = manifest["spec"]
        behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
        policies = [name for name, rules in behavior.items() if "policies" in rules or "tolerance" in rules]
        if policies or spec.get("minReplicaCount", 0):
            raise ValueError(
                f"{manifest['metadata']['name']}: policies, tolerances and a least number are not read here."
            )
        return cls(
            manifest["metadata"]["name"],
            tuple(Trigger.read(trigger["metadata"]) for trigger in spec["triggers"]),
            spec.get("maxReplicaCount", 100),
            spec.get("pollingInterval", 30),
            spec.get("cooldownPeriod", 300),
            behavior.get("scaleUp", {}).get("stabilizationWindowSeconds", 0.0),
            behavior.get("scaleDown", {}).get("stabilizationWindowSeconds", DEFAULT_DOWN_WINDOW_S),
        )


@dataclass
class Operator:
    """KEDA's operator: between none and one."""

    scaling: Scaling
    _active_s: float = -math.inf

    def poll(self, now_s: float, pods: int, counts: Counts) -> int:
        """How many pods there should be; asked every `polling_s`."""
        pairs = zip(self.scaling.triggers, counts, strict=True)
        if any(count is not None and count > trigger.activation for trigger, count in pairs):
            self._active_s = now_s
            return pods or 1
        if None in counts or now_s - self._active_s <= self.scaling.cooldown_s:
            return pods
        return 0


@dataclass
class Autoscaler:
    """Kubernetes' horizontal autoscaler, as KEDA sets it up: the triggers' counts as averages, from one pod on."""

    scaling: Scaling
    _wanted: list[tuple[float, int]] = field(default_factory=list)

    def sync(self, now_s: float, pods: int, counts: Counts) -> int:
        """How many pods there should be; asked every SYNC_S."""
        if not pods:
            return 0
        known = [
            self._for_metric(trigger, count, pods)
            for trigger, count in zip(self.scaling.triggers, counts, strict=True)
            if count is not None
        ]
        if not known or (None in counts and max(known) < pods):
            return pods
        return self._steady(now_s, pods, max(known))

    def _for_metric(self, trigger: Trigger, count: int, pods: int) -> int:
        if abs(count / (trigger.target * pods) - 1) <= TOLERANCE:
            return pods
        return math.ceil(count / trigger.target)

    def _steady(self, now_s: float, pods: int, wanted: int) -> int:
        """Neither less than was wanted lately, nor more than may come at once."""
        self._wanted.append((now_s, wanted))
        low = min(self._since(now_s, self.scaling.up_window_s))
        high = max(self._since(now_s, self.scaling.down_window_s))
        steady = min(max(pods, low), high)
        return max(1, min(steady, self.scaling.most, max(pods + UP_PODS, pods * UP_FACTOR)))

    def _since(self, now_s: float, window_s: float) -> list[int]:
        """What was wanted within a window; at least the latest."""
        return [wanted for time_s, wanted in self._wanted if time_s == now_s or time_s > now_s - window_s]
