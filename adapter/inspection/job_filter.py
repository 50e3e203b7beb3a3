"""Which jobs an operator means. Pure."""

from dataclasses import dataclass

from adapter.inspection.job_record import JobRecord


@dataclass(frozen=True, slots=True)
class JobFilter:
    """A choice of jobs: all that match every condition. What is empty or None is no condition."""

    states: frozenset[str] = frozenset()
    """Values of JobState."""
    types: frozenset[str] = frozenset()
    owner: str = ""
    """See JobRecord.owner."""
    since_s: float | None = None
    """Accepted at this time or later, in seconds since the epoch."""
    until_s: float | None = None
    """Accepted before this time."""
    reason: str = ""
    """Part of the reason, whatever the case of its letters."""

    def matches(self, record: JobRecord) -> bool:
        """Whether a job is meant."""
        return (
            (not self.states or record.state in self.states)
            and (not self.types or record.type in self.types)
            and (not self.owner or record.owner == self.owner)
            and (self.since_s is None or record.accepted_at_s >= self.since_s)
            and (self.until_s is None or record.accepted_at_s < self.until_s)
            and self.reason.casefold() in record.reason.casefold()
        )
