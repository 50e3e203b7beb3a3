"""The settings of the runner API, through which Pod from 4.2 on hands its tasks over."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt, PositiveFloat, model_validator

from podjobs.settings import FromJson, LogSettings

CLIENT_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""As in podjobs.contract.reply_to."""
TOKEN_CHARS = 50
"""Pod's column for the token has no more."""
Host = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?$", max_length=255)]
"""A name or an address, as in URLs, with a port or without: then any."""


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Digests = Annotated[
    tuple[Annotated[str, Field(pattern="^[0-9a-f]{64}$")], ...], BeforeValidator(_listed), Field(min_length=1)
]


class RunnerClient(BaseModel):
    """A Pod that may hand tasks over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_sha256: Digests = Field(repr=False)
    """SHA-256 of its token; a list while one is replaced by another."""
    notify_hosts: Annotated[tuple[Host, ...], Field(min_length=1)]
    """Where it may be called back."""
    source_hosts: tuple[Host, ...] = ()
    """Where its files may be; none: where it may be called back."""
    private: bool = False
    """Whether these may be addresses of the local network."""

    @property
    def hosts_of_sources(self) -> tuple[str, ...]:
        """Where its files may be."""
        return self.source_hosts or self.notify_hosts


def _root(value: object) -> object:
    return f"/{value.strip('/')}" if isinstance(value, str) and value.strip("/") else ""


class RunnerClientSettings(LogSettings):
    """Who may hand tasks over through HTTP."""

    podjobs_runner_clients: FromJson[dict[Annotated[str, Field(pattern=CLIENT_NAME)], RunnerClient]] = Field(
        default_factory=dict,
        description="Who may use the runner API, as a JSON object: name → `token_sha256` (of the token, or a list of "
        "them), `notify_hosts` (where it may be called back: `pod.example.org`, with a port or without), "
        "`source_hosts` (where its files are, if elsewhere), `private` (true: these may be addresses of the local "
        "network). `podjobs runner-client NAME` makes a token and writes this line.",
    )


class RunnerSettings(RunnerClientSettings):
    """Where they are handed over, and for how long their results are kept."""

    podjobs_runner_port: NonNegativeInt = Field(
        default=0,
        le=65535,
        description="Port of the runner API, through which Pod 4.2 and newer hands tasks over and fetches results. 0: "
        "there is none.",
    )
    podjobs_runner_host: str = Field(
        default="127.0.0.1",
        description="Address on which the runner API is served. Tokens travel with each request: put a proxy with TLS "
        "before it unless the network is Pod's own.",
    )
    podjobs_runner_root: Annotated[str, BeforeValidator(_root)] = Field(
        default="", description="Path before those of the runner API, such as `/runner` behind a proxy."
    )
    podjobs_runner_result_days: PositiveFloat = Field(
        default=7,
        description="How long the results of the runner API are kept in the media storage, in days. Pod looks again "
        "for what it could not import, after two hours at the earliest.",
    )

    @property
    def result_days(self) -> float | None:
        """For how many days results are kept; None: there is no runner API."""
        return self.podjobs_runner_result_days if self.podjobs_runner_port else None

    @model_validator(mode="after")
    def _has_clients(self) -> Self:
        if self.podjobs_runner_port and not self.podjobs_runner_clients:
            raise ValueError(
                "PODJOBS_RUNNER_CLIENTS must name who may use the runner API of PODJOBS_RUNNER_PORT: "
                "`podjobs runner-client NAME` makes a token and writes the line"
            )
        return self
