"""What performing a step has used: measured by functions, added up by the adapter."""

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt


class Usage(BaseModel):
    """What one attempt of one step has used. 0: not known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cpu_s: NonNegativeFloat = 0.0
    """Processor time, in seconds, of the function and of its commands."""
    memory_bytes: NonNegativeInt = 0
    """The most memory that was in use at once."""
    read_bytes: NonNegativeInt = 0
    written_bytes: NonNegativeInt = 0
