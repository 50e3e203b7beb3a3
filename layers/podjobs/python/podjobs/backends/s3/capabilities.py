"""The objects that commands may read: each by a secret that nobody can guess, which leads to one version of it."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from podjobs.backends.s3.ranges import ObjectVersion
from podjobs.contract.errors import StepError

MOST_CAPABILITIES = 1024


class Trouble(NamedTuple):
    """A request that was not answered as it should have been."""

    began_s: float
    """As `time.monotonic` gives it."""
    error: StepError


@dataclass
class Opened:
    """What a capability leads to."""

    version: ObjectVersion
    capability: str
    trouble: Trouble | None = None
    """The last one."""


class Capabilities:
    """Those of one gateway; the ones that were used least recently are forgotten when there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_version: dict[ObjectVersion, Opened] = {}
        self._by_capability: OrderedDict[str, Opened] = OrderedDict()

    def open(self, version: ObjectVersion) -> Opened:
        """The capability of a version: one for all commands that read it."""
        with self._lock:
            opened = self._by_version.get(version)
            if opened is None:
                opened = Opened(version, secrets.token_urlsafe(24))
                self._by_version[version] = self._by_capability[opened.capability] = opened
            self._by_capability.move_to_end(opened.capability)
            while len(self._by_capability) > MOST_CAPABILITIES:
                _, oldest = self._by_capability.popitem(last=False)
                del self._by_version[oldest.version]
            return opened

    def find(self, capability: str) -> Opened | None:
        """What a capability leads to, if it is one."""
        with self._lock:
            if opened := self._by_capability.get(capability):
                self._by_capability.move_to_end(capability)
            return opened
