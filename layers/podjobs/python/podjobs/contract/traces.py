"""Traces: which spans belong together, as W3C's `traceparent` says it. Pure, but for new spans' ids.

A job is one trace. Its id, and that of the job's own span, follow from the job's: so several adapters, and an adapter
that was started anew, build the same trace without agreeing on it. If whoever asked for the job has begun a trace, the
job is a part of that one.

Source: W3C, «Trace Context» level 1, 3.2 (traceparent); CloudEvents, «Distributed Tracing» extension.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 0x01
_VERSION = "00"
_NO_VERSION = "ff"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span's place: its trace, and its own id."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    is_sampled: bool = True
    """Whether spans are recorded."""

    @classmethod
    def read(cls, traceparent: object) -> Self | None:
        """Read a `traceparent`, as anybody may have written it; None: it is none."""
        found = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
        if found is None:
            return None
        version, trace_id, span_id, flags, more = found.groups()
        if version == _NO_VERSION or (version == _VERSION and more) or not (int(trace_id, 16) and int(span_id, 16)):
            return None
        return cls(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))

    @property
    def traceparent(self) -> str:
        """As it travels."""
        return f"{_VERSION}-{self.trace_id}-{self.span_id}-{_SAMPLED if self.is_sampled else 0:02x}"

    def child(self) -> "TraceContext":
        """A new span of the same trace."""
        return TraceContext(self.trace_id, secrets.token_hex(8), self.is_sampled)


@lru_cache(maxsize=1024)
def job_context(job_id: str, given: str = "") -> TraceContext:
    """The span of a whole job.

    Args:
        job_id: its id.
        given: the `traceparent` of whoever asked for it; if it is none, the job is a trace of its own.
    """
    digest = hashlib.sha256(f"podjobs job {job_id}".encode()).hexdigest()
    parent = TraceContext.read(given)
    if parent is None:
        return TraceContext(digest[:32], digest[32:48])
    return TraceContext(parent.trace_id, digest[32:48], parent.is_sampled)
