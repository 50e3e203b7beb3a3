"""What S3 servers and the networks before them do on bad days, and plans of when they do it.

Source: Amazon S3 API reference, list of error codes; for full storages MinIO's cmd/api-errors.go and cmd/admin errors,
Ceph's rgw_common.cc. What a `HEAD` gets has no body, so its code cannot be read there, only the status.
"""

import random
import re
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from html import escape
from typing import Protocol

from support.s3_requests import UPLOADS, WRITES, Asked, Kind

OK = 200


class Moment(Enum):
    """When something goes wrong."""

    BEFORE = "before the server has seen the request"
    IN_UPLOAD = "after half of the request's body"
    IN_DOWNLOAD = "after half of the answer's body"
    AFTER = "once it is done: the answer does not arrive"


@dataclass(frozen=True)
class Fault:
    """One way to go wrong."""

    name: str
    moment: Moment = Moment.BEFORE
    status: int = 0
    """HTTP status of the answer; 0: none comes, the connection is cut."""
    code: str = ""
    message: str = ""
    stall_s: float = 0.0
    """How long nothing happens first, in seconds."""

    @property
    def body(self) -> bytes:
        """The answer's body."""
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code><Message>{escape(self.message)}'
            "</Message><Resource>/media</Resource><RequestId>5CF0A1B2C3D4E5F6</RequestId></Error>"
        ).encode()

    def concerns(self, asked: Asked) -> bool:
        """Whether it can happen to a request."""
        if self.moment is Moment.IN_UPLOAD:
            return asked.kind in UPLOADS
        if self.status in {PRECONDITION.status, CONFLICT.status}:
            return asked.is_conditional
        if self.status == OK:
            return asked.kind in {Kind.COPY, Kind.PART_COPY, Kind.COMPLETE}
        return self.moment is not Moment.IN_DOWNLOAD or asked.kind is Kind.GET


SLOW_DOWN = Fault("slow down", status=503, code="SlowDown", message="Please reduce your request rate.")
INTERNAL = Fault("internal error", status=500, code="InternalError", message="We encountered an internal error.")
INTERNAL_IN_UPLOAD = Fault("internal error in upload", Moment.IN_UPLOAD, 500, INTERNAL.code, INTERNAL.message)
ERROR_IN_200 = Fault("error in a 200", Moment.BEFORE, 200, INTERNAL.code, INTERNAL.message)
"""Amazon begins its answer to long operations before it knows how they end."""
BAD_GATEWAY = Fault("bad gateway", status=502, code="BadGateway", message="A proxy has no connection.")
CUT = Fault("cut")
CUT_IN_UPLOAD = Fault("cut in upload", Moment.IN_UPLOAD)
CUT_IN_DOWNLOAD = Fault("cut in download", Moment.IN_DOWNLOAD)
LOST = Fault("answer lost", Moment.AFTER)
EXPIRED_TOKEN = Fault("expired token", status=400, code="ExpiredToken", message="The provided token has expired.")
INVALID_KEY = Fault(
    "invalid key",
    status=403,
    code="InvalidAccessKeyId",
    message="The Access Key Id you provided does not exist in our records.",
)
WRONG_SIGNATURE = Fault(
    "wrong signature",
    status=403,
    code="SignatureDoesNotMatch",
    message="The request signature we calculated does not match the signature you provided.",
)
TIME_SKEWED = Fault(
    "time skewed",
    status=403,
    code="RequestTimeTooSkewed",
    message="The difference between the request time and the current time is too large.",
)
ACCESS_DENIED = Fault("access denied", status=403, code="AccessDenied", message="Access Denied")
NO_BUCKET = Fault("no bucket", status=404, code="NoSuchBucket", message="The specified bucket does not exist")
QUOTA = Fault("quota", status=403, code="QuotaExceeded", message="Bucket quota exceeded")
"""Ceph, and those who imitate it."""
MINIO_QUOTA = Fault("MinIO's quota", status=400, code="XMinioAdminBucketQuotaExceeded", message="Bucket quota exceeded")
MINIO_FULL = Fault(
    "MinIO full",
    status=507,
    code="XMinioStorageFull",
    message="Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.",
)
NO_SPACE = Fault("no space", status=507, code="InsufficientStorage", message="There is not enough space.")
PRECONDITION = Fault(
    "precondition failed",
    status=412,
    code="PreconditionFailed",
    message="At least one of the pre-conditions you specified did not hold",
)
CONFLICT = Fault(
    "conflict",
    status=409,
    code="ConditionalRequestConflict",
    message="The conditional request cannot succeed due to a conflicting operation against this resource.",
)


def stall(seconds: float, moment: Moment = Moment.BEFORE) -> Fault:
    """Nothing comes for a while, then the connection is cut."""
    return Fault("stall", moment, stall_s=seconds)


class Faults(Protocol):
    """Decides what goes wrong."""

    def next(self, asked: Asked) -> Fault | None:
        """What happens to a request; None: nothing."""


@dataclass
class Rule:
    """One fault, and the requests that it happens to."""

    fault: Fault
    times: float = float("inf")
    """How many are left."""
    kinds: Collection[Kind] = frozenset(Kind)
    key: str = ""
    """A regular expression that is found in the object's key."""
    skip: int = 0
    """How many of these requests pass before."""
    happened: int = 0

    def takes(self, asked: Asked) -> bool:
        """Whether it happens to this request, too."""
        if asked.kind not in self.kinds or not self.fault.concerns(asked) or not re.search(self.key, asked.key):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.happened >= self.times:
            return False
        self.happened += 1
        return True


class PlannedFaults:
    """Faults by rules: the first that takes a request decides."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, times: float = float("inf"), kinds: Collection[Kind] = frozenset(Kind),
            key: str = "", skip: int = 0) -> Rule:  # fmt: skip
        """Let something go wrong from now on.

        Args:
            fault: what.
            times: how often.
            kinds: the operations that it happens to.
            key: a regular expression that is found in the keys of the objects that it happens to.
            skip: how many such requests pass before the first.
        """
        rule = Rule(fault, times, kinds, key, skip)
        with self._lock:
            self._rules.append(rule)
        return rule

    def refuse_writes(self, fault: Fault) -> Rule:
        """Refuse whatever takes room, as a full storage does."""
        return self.add(fault, kinds=WRITES)

    def heal(self) -> None:
        """From now on, nothing goes wrong."""
        with self._lock:
            self._rules.clear()

    def next(self, asked: Asked) -> Fault | None:
        """See the protocol."""
        with self._lock:
            return next((rule.fault for rule in self._rules if rule.takes(asked)), None)


class SeededFaults:
    """Faults by chance. Whatever else happens, the nth request of a kind for an object always ends the same way."""

    def __init__(self, seed: int, shares: Mapping[Fault, float]) -> None:
        """Prepare.

        Args:
            seed: of the chances.
            shares: of all requests that each fault happens to; together less than 1.
        """
        self._seed = seed
        self._shares = shares
        self._asked: Counter[Asked] = Counter()
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        """How often each happened."""
        self.healthy = False
        """From now on, nothing goes wrong."""

    def next(self, asked: Asked) -> Fault | None:
        """See the protocol."""
        with self._lock:
            self._asked[asked] += 1
            chance = random.Random(f"{self._seed} {asked.kind} {asked.key} {self._asked[asked]}").random()
            if self.healthy:
                return None
            for fault, share in self._shares.items():
                chance -= share
                if chance < 0:
                    if not fault.concerns(asked):
                        return None
                    self.counts[fault.name] += 1
                    return fault
        return None
