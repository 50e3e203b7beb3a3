"""The instances of a function in a simulation: they start, perform steps, are told to end, and are counted."""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy


@dataclass(eq=False)
class Instance:
    """One of them."""

    slots: int
    ready: bool = False
    busy: int = 0
    leaving: bool = False
    """It takes no further step, and ends after those that it performs."""
    idle_since_s: float = 0.0


@dataclass
class Fleet:
    """All instances, and the steps that wait for one."""

    environment: simpy.Environment
    slots: int
    """Steps that an instance performs at once."""
    cold_s: float
    """From the decision to its first step."""
    instances: list[Instance] = field(default_factory=list)
    waiting: deque[Any] = field(default_factory=deque)
    history: list[tuple[float, int]] = field(default_factory=lambda: [(0.0, 0)])
    """(time, instances that there are from then on)."""
    most_busy: int = 0
    """The most steps that one instance has performed at once."""
    performed: int = 0
    in_flight: int = 0
    """Steps that are performed or wait for an instance."""

    @property
    def staying(self) -> list[Instance]:
        """Those that were not told to end."""
        return [instance for instance in self.instances if not instance.leaving]

    def start(self, count: int, *, warm: bool = False) -> None:
        """Start instances.

        Args:
            count: how many.
            warm: whether they are there at once.
        """
        for _ in range(count):
            instance = Instance(self.slots)
            self.instances.append(instance)
            self.environment.process(self._boot(instance, 0.0 if warm else self.cold_s))
        self._note()

    def stop(self, count: int) -> None:
        """Tell so many instances to end, first those that do nothing."""
        for instance in sorted(self.staying, key=lambda one: (one.busy, not one.ready))[:count]:
            instance.leaving = True
            self._end_if_done(instance)

    def scale_to(self, wanted: int) -> None:
        """Start or stop as many as are missing or too many."""
        missing = wanted - len(self.staying)
        self.start(max(0, missing))
        self.stop(max(0, -missing))

    def submit(self, duration_s: float, done: simpy.Event) -> None:
        """Let a step wait for an instance, and be performed."""
        self.in_flight += 1
        others_wait = bool(self.waiting)  # then no slot is free
        self.waiting.append((duration_s, done))
        if not others_wait:
            self._hand_out(self.instances)

    def _boot(self, instance: Instance, cold_s: float) -> Generator[simpy.Event, Any, None]:
        yield self.environment.timeout(cold_s)
        instance.ready, instance.idle_since_s = True, self.environment.now
        self._hand_out((instance,))

    def _hand_out(self, instances: Sequence[Instance]) -> None:
        for instance in instances:
            if not self.waiting:
                return
            while self.waiting and instance.ready and not instance.leaving and instance.busy < instance.slots:
                instance.busy += 1
                self.most_busy = max(self.most_busy, instance.busy)
                self.environment.process(self._perform(instance, *self.waiting.popleft()))

    def _perform(self, instance: Instance, duration_s: float, done: simpy.Event) -> Generator[simpy.Event, Any, None]:
        yield self.environment.timeout(duration_s)
        instance.busy -= 1
        instance.idle_since_s = self.environment.now
        self.in_flight -= 1
        self.performed += 1
        done.succeed()
        self._end_if_done(instance)
        self._hand_out((instance,))

    def _end_if_done(self, instance: Instance) -> None:
        if instance.leaving and not instance.busy and instance in self.instances:
            self.instances.remove(instance)
            self._note()

    def _note(self) -> None:
        self.history.append((self.environment.now, len(self.instances)))


def instance_hours(history: list[tuple[float, int]], until_s: float) -> float:
    """How long instances were there, together.

    Args:
        history: as of a fleet.
        until_s: the end.
    """
    ends_s = [time_s for time_s, _ in history[1:]] + [until_s]
    return sum(count * (end_s - time_s) for (time_s, count), end_s in zip(history, ends_s, strict=True)) / 3600
