"""Whom to notify when a job has ended, and what this takes: one model per channel.

What a channel needs travels with the job: in events, in the job's record, on the operator's pages. So none of these
models may contain a secret. A channel's secret (a token, a URL that contains one) is a setting of the function
`notification`, or is kept apart from the job's record, where only the notification reads it.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt


class PodCallback(BaseModel):
    """Pod 3.5.1 to 4.1, which sends tasks through Celery and is notified through its REST interface."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    channel: Literal["pod"] = "pod"
    video_id: NonNegativeInt
    request: dict[str, Any] = Field(default_factory=dict)
    """The fields of Pod's task that the callback repeats, under Pod's names."""


class PodRecordingCallback(BaseModel):
    """Likewise, about a studio recording: Pod makes a video of it, and has that encoded."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    channel: Literal["pod-recording"] = "pod-recording"
    recording_id: NonNegativeInt


class RunnerCallback(BaseModel):
    """Pod from 4.2 on, which hands tasks over HTTP: it is called back at a URL of its own.

    That URL and the token are secrets: they are kept apart from the record, see `Step.private`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    channel: Literal["runner"] = "runner"
    client: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    """The client of PODJOBS_RUNNER_CLIENTS whose token was shown."""
    dialect: Literal["v4", "v5"]
    """What it reads, sends and deletes: the columns of docs/contract-pod-runner.md."""


class Nobody(BaseModel):
    """No channel: whoever requested the job looks at its record."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    channel: Literal["nobody"] = "nobody"


ReplyTo = Annotated[PodCallback | PodRecordingCallback | RunnerCallback | Nobody, Field(discriminator="channel")]
