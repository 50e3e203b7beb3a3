"""The results of a studio job's own steps. Pure."""

from podjobs.encoding.results import StepResult


class PackageResult(StepResult):
    """The composed file."""

    frames: int
    size_bytes: int
    notes: tuple[str, ...] = ()
    """Sentences about what is not as it was expected."""


class PublishResult(StepResult):
    """What Pod is told."""

    message: str
    """The job's log, for people."""
    published_at: float
    """Seconds since the epoch."""
