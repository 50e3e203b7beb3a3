"""The outline of a plan: which steps its stages have, without their parameters. Kept with the job, for forecasts. Pure.

As JSON it is a list of stages, each `[name, [[function, action, count, weight], …]]`: runs of steps with the same
action, in the plan's order, with the sum of their weights. So what is left of a stage is known from how many of its
steps are ready.
"""

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from podjobs.contract.plans import Stage


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps with the same action that follow one another in a stage."""

    function: str
    action: str
    count: int
    weight: float
    """Of all of them together."""

    def last(self, count: int) -> "StepGroup":
        """What is left of it when only so many of its steps are."""
        return StepGroup(self.function, self.action, count, self.weight * count / self.count)


@dataclass(frozen=True, slots=True)
class StageOutline:
    """A stage."""

    name: str
    groups: tuple[StepGroup, ...]

    @property
    def weight(self) -> float:
        """Of all of its steps together."""
        return sum(group.weight for group in self.groups)

    def last_of(self, function: str, count: int) -> list[StepGroup]:
        """The groups of the last `count` steps for a function: a stage's steps begin in their order."""
        found: list[StepGroup] = []
        for group in reversed([group for group in self.groups if group.function == function]):
            if count <= 0:
                break
            found.append(group if group.count <= count else group.last(count))
            count -= group.count
        return found[::-1]


Outline = tuple[StageOutline, ...]


def write_outline(stages: Iterable[Stage]) -> str:
    """Write the outline of a plan's stages."""
    return json.dumps([_outline_stage(stage) for stage in stages], separators=(",", ":"))


def _outline_stage(stage: Stage) -> list[object]:
    """Outline one stage, as JSON can express it."""
    groups = []
    for (function, action), run in groupby(stage.steps, key=lambda step: (step.function, step.action)):
        weights = [step.weight for step in run]
        groups.append([function, action, len(weights), round(sum(weights), 3)])
    return [stage.name, groups]


@functools.lru_cache(maxsize=1024)
def read_outline(text: str) -> Outline:
    """Read an outline. Raises ValueError or TypeError if it is none."""
    return tuple(StageOutline(name, tuple(StepGroup(*group) for group in groups)) for name, groups in json.loads(text))
