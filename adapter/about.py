"""What an adapter says of itself, for operators and for other programs."""

import os
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Protocol

import podjobs

SILENT_LEASES = 2
"""An adapter that has not been heard of for so many leases is probably gone; clocks of servers may differ a little."""


class AdapterState(StrEnum):
    """What an adapter does."""

    RUNNING = "running"
    DRAINING = "draining"
    """It takes nothing more, and finishes what it has."""
    DRAINED = "drained"
    """It has nothing left, and can be stopped."""


class Dispatch(Protocol):
    """What delivers the steps of one function."""

    function: Any
    """Has a name."""

    @property
    def slots(self) -> int:
        """How many steps may be in flight."""

    @property
    def workers(self) -> int | None:
        """How many workers the function has; None: not known."""


@dataclass(slots=True)
class AdapterAbout:
    """One adapter."""

    id: str
    version: str = podjobs.__version__
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    started_at: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    state: str = AdapterState.RUNNING
    slots: dict[str, int] = field(default_factory=dict)
    """For each of its functions, how many steps or batches it delivers at once."""
    lease_s: float = 15.0
    """PODJOBS_LEASE_S: it is heard of three times as often."""
    workers: dict[str, int] = field(default_factory=dict)
    """How many workers a function has, where that is known: all adapters share them."""
    retries: dict[str, list[float]] = field(default_factory=dict)
    """For each function: seconds before the second attempt, the factor of the waits, the longest one in seconds."""
    queues: list[str] = field(default_factory=list)
    """Pod's queues that it reads."""
    http: str = ""
    """Where its pages are: host and port."""

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions it invokes."""
        return tuple(self.slots)

    def note_slots(self, dispatches: Iterable[Dispatch]) -> None:
        """Note what there is now: workers come and go."""
        for dispatch in dispatches:
            self.slots[dispatch.function.name] = dispatch.slots
            if dispatch.workers is not None:
                self.workers[dispatch.function.name] = dispatch.workers

    def as_fields(self) -> dict[str, Any]:
        """As JSON can express it."""
        return asdict(self)

    @classmethod
    def of_fields(cls, found: dict[str, Any]) -> "AdapterAbout":
        """Read what another adapter has said, perhaps of another version. Raises TypeError if it says too little."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in found.items() if name in known})
