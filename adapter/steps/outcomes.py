"""What has become of jobs by a change to their records."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of accepting a job."""

    outcome: str
    """`accepted`, `duplicate`, or `superseded` if a newer job for the target was accepted before; `joined` if one that
    does the same is in work; for a replay also `gone` or the state that forbids it."""
    other_id: str
    """The other job for the same target: the older one that was superseded, or the newer one; or an empty string."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did to the job."""

    outcome: str
    """`continued`, `done`, `failed`, `superseded`, `cancelled`, or `duplicate` if the step was no longer open."""
    age_s: float
    """Seconds since the job was accepted."""
