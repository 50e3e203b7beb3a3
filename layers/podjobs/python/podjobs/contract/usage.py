"""What performing a step has used: measured by functions, added up by the adapter.

It travels beside a reply, as a short text, and never decides about anything: whoever does not know it, or cannot read
it, does without.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

USAGE_HEADER = "Podjobs-Usage"
"""Beside a problem, which is no event: the header in which it travels."""

Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Bytes = Annotated[int, Field(ge=0, le=1 << 53)]


class Usage(BaseModel):
    """What one attempt of one step has used. 0: not known."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    cpu_s: Seconds = 0.0
    """Processor time, in seconds, of the function and of its commands."""
    memory_bytes: Bytes = 0
    """The most memory that was in use at once."""
    read_bytes: Bytes = 0
    """By its commands, whether from a disk or from memory."""
    written_bytes: Bytes = 0
    """By its commands."""


class StepAccount(Usage):
    """What travels beside the reply to a step."""

    media_s: Seconds = 0.0
    """See Plan.media_s."""
    source_bytes: Bytes = 0
    """See Plan.source_bytes."""

    @property
    def usage(self) -> Usage:
        """What the step itself has used."""
        return Usage(**self.model_dump(include=set(Usage.model_fields)))

    def as_text(self) -> str:
        """As it travels: `cpu_s=1.25,memory_bytes=81920`, without what is not known."""
        known = {name: value for name, value in self.model_dump().items() if value}
        return ",".join(
            f"{name}={round(value, 3) if isinstance(value, float) else value}" for name, value in known.items()
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the text; what newer versions have added to it is ignored. Raises ValueError if it is none."""
        parts = [part.partition("=") for part in text.split(",")]
        if not all(equals for _, equals, _ in parts):
            raise ValueError("it is not a list of names and numbers")
        return cls.model_validate({name.strip(): value.strip() for name, _, value in parts})
