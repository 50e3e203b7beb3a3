"""What a step of each kind costs: a fixed part, and a part for each second of its media. Pure but for the files."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from podjobs.contract.plans import StepSpec

DEFAULT_COSTS = Path(__file__).with_name("step_costs.json")
"""As they were measured once; `cost` writes those of this machine into its folder."""
QUANTITIES = (
    "cpu_s", "waits_s", "memory_bytes", "scratch_bytes", "reads", "writes", "downloaded_bytes", "uploaded_bytes",
)  # fmt: skip


@dataclass(frozen=True)
class StepUse:
    """What one step, or a sum of steps, used."""

    cpu_s: float = 0.0
    waits_s: float = 0.0
    """For storage: requests, each with a latency, and the transfer of bytes."""
    memory_bytes: float = 0.0
    """At its peak, commands included."""
    scratch_bytes: float = 0.0
    """At its peak."""
    reads: float = 0.0
    """Requests to the object storage that read."""
    writes: float = 0.0
    """Requests that write, copy or list."""
    downloaded_bytes: float = 0.0
    uploaded_bytes: float = 0.0

    def duration_s(self, vcpus: float, parallel: float) -> float:
        """How long it takes.

        Args:
            vcpus: of the instance.
            parallel: how many processors such a step can use.
        """
        return self.cpu_s / min(vcpus, max(1.0, parallel)) + self.waits_s


@dataclass(frozen=True)
class Sample:
    """A step that was measured."""

    action: str
    media_s: float
    """Of what it worked on."""
    use: StepUse


@dataclass(frozen=True)
class ActionCost:
    """What steps with an action use, whatever they work on."""

    fixed: StepUse
    per_media_s: StepUse
    parallel: float = 1.0
    """Processors that a step was seen to use where it could have had two."""

    def use(self, media_s: float) -> StepUse:
        """Of a step for so many seconds of media."""
        fixed, growing = asdict(self.fixed), asdict(self.per_media_s)
        return StepUse(**{name: fixed[name] + growing[name] * media_s for name in QUANTITIES})


def fit(samples: Iterable[Sample], parallel: float = 1.0) -> ActionCost:
    """Find the fixed part and the growing part: the least squares' line, never falling and never below 0.

    Of memory, the largest that was seen: it hardly grows. Of the disk, the largest that was seen for a second of media.

    Args:
        samples: of one action; of one length only, everything is fixed.
        parallel: as measured.
    """
    found = list(samples)
    lengths_s = [sample.media_s for sample in found]
    fixed: dict[str, float] = {}
    growing: dict[str, float] = {}
    for name in QUANTITIES:
        values = [float(asdict(sample.use)[name]) for sample in found]
        if name == "memory_bytes":
            fixed[name], growing[name] = max(values), 0.0
        elif name == "scratch_bytes":
            fixed[name], growing[name] = (
                0.0,
                max(value / length for value, length in zip(values, lengths_s, strict=True)),
            )
        else:
            fixed[name], growing[name] = _line(lengths_s, values)
    return ActionCost(StepUse(**fixed), StepUse(**growing), parallel)


def _line(lengths: list[float], values: list[float]) -> tuple[float, float]:
    middle, mean = sum(lengths) / len(lengths), sum(values) / len(values)
    spread = sum((length - middle) ** 2 for length in lengths)
    if not spread:
        return mean, 0.0
    slope = sum((length - middle) * (value - mean) for length, value in zip(lengths, values, strict=True)) / spread
    start = mean - slope * middle
    if slope < 0:
        return mean, 0.0
    if start < 0:  # a line through the origin
        return 0.0, sum(x * y for x, y in zip(lengths, values, strict=True)) / sum(x * x for x in lengths)
    return start, slope


def media_seconds(spec: StepSpec, length_s: float) -> float:
    """How many seconds of media a planned step works on.

    Args:
        spec: as the plan has it.
        length_s: of the video.
    """
    if spec.action in {"chunk", "transcribe"}:
        end_s = spec.params["end_s"]
        return float((length_s if end_s is None else min(end_s, length_s)) - spec.params["start_s"])
    return length_s


def write_costs(path: Path, costs: Mapping[str, ActionCost], about: str) -> None:
    """Keep them for `autoscale`.

    Args:
        path: the file.
        costs: by action.
        about: on which machine, and when.
    """
    content: dict[str, Any] = {"about": about, "actions": {name: asdict(cost) for name, cost in costs.items()}}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_costs(path: Path = DEFAULT_COSTS) -> tuple[dict[str, ActionCost], str]:
    """Read what `write_costs` wrote: the costs by action, and where they are from."""
    content = json.loads(path.read_text(encoding="utf-8"))
    costs = {
        name: ActionCost(StepUse(**cost["fixed"]), StepUse(**cost["per_media_s"]), cost["parallel"])
        for name, cost in content["actions"].items()
    }
    return costs, str(content["about"])
