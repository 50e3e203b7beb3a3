"""Who is to be notified of a job's end, and what that takes: one model a channel.

What a channel needs travels with the job: in events, in the job's record, on the operator's pages. So none of these
models may hold a secret. A channel's secret (a token, an address that carries one) is a setting of the function
`notification`, or is kept beside the job's record, where only what notifies reads it.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt


class PodCallback(BaseModel):
    """Pod 3.5 to 4.1, which sends tasks by Celery and takes their end through its REST interface."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Literal["pod"] = "pod"
    video_id: NonNegativeInt
    request: dict[str, Any] = Field(default_factory=dict)
    """The fields of Pod's task that the callback repeats, by Pod's names."""


class Nobody(BaseModel):
    """No channel: whoever asked for the job looks at its record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Literal["nobody"] = "nobody"


ReplyTo = Annotated[PodCallback | Nobody, Field(discriminator="channel")]
