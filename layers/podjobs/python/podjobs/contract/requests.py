"""What all requests to functions have in common."""

from abc import abstractmethod
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]

DEFAULT_TIMEOUT_S = 900
"""AWS Lambda's limit for one invocation."""


class Request(BaseModel):
    """One invocation of one function: the data of the event it receives."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    function: Name
    """The deployable it is for."""
    attempt: PositiveInt = 1
    timeout_s: PositiveInt = DEFAULT_TIMEOUT_S
    """Seconds the function may take."""
    entry_id: str = Field(default="", exclude=True)
    """The adapter's entry that it comes from: tells it from other requests with the same subject, as when a job is
    planned anew. Does not travel."""
    traceparent: str = Field(default="", exclude=True)
    """The attempt's span (traces.py). Travels beside it; empty: it belongs to no trace."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """The event's subject; the same for all attempts."""

    @property
    @abstractmethod
    def log_context(self) -> dict[str, Any]:
        """What log lines about it carry."""
