"""The adapter's settings, from the environment or Pod's settings file. Every field states its unit."""

import os
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    create_model,
    model_validator,
)

from adapter.delivery.transports import LAMBDA_SLOTS, check_function_url, default_slots
from adapter.operation_settings.operation import OperationSettings
from adapter.record_settings import RecordSettings
from adapter.retries import RetryPolicy
from adapter.runner_settings import RunnerSettings
from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.workflows import XAPI, Function, all_functions, step_functions
from podjobs.redis_urls import RedisUrl
from podjobs.settings import AbsolutePath, FunctionSecret

NO_LIMIT = sys.maxsize
"""Statements are retried until the LRS has them."""
FunctionUrl = Annotated[str, AfterValidator(check_function_url)]
Percent = Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """One function that the adapter invokes."""

    name: str
    url: str = field(repr=False)
    """May contain a login."""
    concurrency: int
    retries: RetryPolicy
    concurrency_is_set: bool = True
    """By an operator. Else it follows the number of workers, where the transport knows it."""


@dataclass(frozen=True, slots=True)
class DispatchTiming:
    """The intervals of a dispatch."""

    lease_s: float
    """How long after an adapter's last heartbeat its entries are reclaimed."""
    sweep_s: float
    """Between two searches for entries to reclaim."""
    busy_cap_s: float
    """Longest wait for a busy function that does not say how long to wait."""
    not_now_limit_s: float
    """How long a function may say «not now» about one step."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The limits of a batch: it is complete as soon as it reaches one of them."""

    statements: int
    size_bytes: int
    wait_s: float
    """Since its first statement."""


@dataclass(frozen=True, slots=True)
class StatementSettings:
    """How xAPI statements are delivered."""

    function: FunctionSettings
    batches: BatchLimits
    held_limit: int
    held_bytes: int


class AdapterSettings(RecordSettings, RunnerSettings, OperationSettings):
    """The settings of the long-lived process; `adapter_settings` adds those of each function."""

    media_root: AbsolutePath = Field(
        description="Pod's MEDIA_ROOT, absolute, as the Pod server sees it. Jobs with a path outside it are refused."
    )
    podjobs_function_secret: FunctionSecret | None = Field(
        default=None,
        description="Secret of the adapter and the functions, the same for all of them, who answer nobody without it. "
        "If not set: none is sent.",
    )
    podjobs_rq_url: RedisUrl | None = Field(
        default=None,
        description="Redis URL of the queues of functions whose URL is `rq:<queue>`; their workers have it, too. If "
        "not set: PODJOBS_REDIS_URL, or the broker's. Not in cluster mode.",
    )
    podjobs_share: Percent = Field(
        default=100,
        description="Percent of the videos and statements of each queue that are taken. The others go to the list "
        "`<queue>-pod`, for Pod's own workers, which then have to be started with `-Q <queue>-pod`. 100: all are "
        "taken, those of that list first.",
    )
    podjobs_xapi_batch_statements: PositiveInt = Field(
        default=500, description="Maximum number of xAPI statements in a batch, which is one request to the LRS."
    )
    podjobs_xapi_batch_bytes: int = Field(
        default=1_000_000,
        ge=10_000,
        le=REQUEST_BYTES // 2,  # the rest is for what else is in the request
        description="Maximum size of a batch in bytes. Longer statements become dead letters.",
    )
    podjobs_xapi_batch_wait_s: PositiveFloat = Field(
        default=1, description="Maximum time for which a statement waits for its batch to fill, in seconds."
    )
    podjobs_xapi_held_limit: PositiveInt = Field(
        default=1_000_000,
        description="xAPI statements that Redis may hold, including dead letters. Further ones stay on Pod's queue.",
    )
    podjobs_xapi_held_bytes: PositiveInt = Field(
        default=2_000_000_000,
        description="Memory that xAPI statements and all dead letters may take in Redis, in bytes. Further statements "
        "stay on Pod's queue.",
    )
    podjobs_dead_limit_bytes: PositiveInt = Field(
        default=2_500_000_000,
        description="Memory that dead letters may take in Redis, in bytes. From then on all messages stay on Pod's "
        "queues: a dead letter is not dropped before PODJOBS_DEAD_TTL_S. More than PODJOBS_XAPI_HELD_BYTES, so that "
        "statements alone never stop the encoding of videos.",
    )
    podjobs_retry_base_s: PositiveFloat = Field(
        default=15, description="Wait before the second attempt of a step, in seconds."
    )
    podjobs_retry_factor: float = Field(
        default=2, ge=1, description="Factor by which the wait grows from one attempt to the next."
    )
    podjobs_retry_cap_s: PositiveFloat = Field(
        default=600, description="Longest wait between two attempts, in seconds."
    )
    podjobs_busy_cap_s: PositiveFloat = Field(
        default=60, description="Longest wait for a busy function that does not say how long to wait, in seconds."
    )
    podjobs_not_now_limit_s: PositiveFloat = Field(
        default=4 * 3600,
        description="How long a function may answer «not now» about one step, such as for want of memory, until the "
        "job fails, in seconds. A function without a free slot, a full disk or an absent Pod are waited for without a "
        "limit.",
    )
    podjobs_timeout_margin_s: NonNegativeFloat = Field(
        default=15,
        description="How much longer than a step's own time limit the adapter waits for the answer, in seconds.",
    )
    podjobs_sweep_s: PositiveFloat = Field(
        default=1,
        description="Interval between two searches for steps to retry, to reclaim or to let go of, and between two "
        "counts of a function's workers, in seconds.",
    )
    podjobs_grace_s: NonNegativeFloat = Field(
        default=8,
        description="How long running steps may take to end when the adapter stops, in seconds. Others are given back.",
    )

    @model_validator(mode="after")
    def _leaves_room_for_jobs(self) -> Self:
        if self.podjobs_dead_limit_bytes <= self.podjobs_xapi_held_bytes:
            raise ValueError("PODJOBS_DEAD_LIMIT_BYTES must be more than PODJOBS_XAPI_HELD_BYTES")
        return self

    @model_validator(mode="after")
    def _has_queues_of_rq_in_one_server(self) -> Self:
        if self.podjobs_rq_url is None and self.jobs_in_cluster:
            urls = {name: url for name, url in self.model_dump().items() if name.startswith(_URL) and url}
            through_rq = [name.upper() for name, url in urls.items() if url.startswith("rq:")]
            if through_rq:
                raise ValueError(
                    f"PODJOBS_RQ_URL must be set for {' and '.join(through_rq)}: RQ cannot keep its queues in the "
                    "cluster of PODJOBS_REDIS_URL, for its keys have no common slot; name a Redis without cluster mode"
                )
        return self

    @property
    def rq_url(self) -> str:
        """Where the queues of RQ are; may contain a password."""
        return self.podjobs_rq_url.get_secret_value() if self.podjobs_rq_url else self.jobs_url

    @property
    def functions(self) -> tuple[FunctionSettings, ...]:
        """The functions that steps are delivered to."""
        wanted = (self._function(function) for function in step_functions())
        return tuple(function for function in wanted if function is not None)

    @property
    def statements(self) -> StatementSettings | None:
        """How xAPI statements are delivered; None: their queue is not read."""
        function = self._function(XAPI)
        if function is None:
            return None
        batches = BatchLimits(
            self.podjobs_xapi_batch_statements, self.podjobs_xapi_batch_bytes, self.podjobs_xapi_batch_wait_s
        )
        return StatementSettings(function, batches, self.podjobs_xapi_held_limit, self.podjobs_xapi_held_bytes)

    @property
    def shares(self) -> dict[str, int]:
        """How much of each queue that is read is taken, in percent."""
        read = [function for function in all_functions() if function.queue and self._function(function)]
        return {one.queue: getattr(self, _SHARE + one.name) or self.podjobs_share for one in read}

    @property
    def timing(self) -> DispatchTiming:
        """The intervals of the dispatches."""
        return DispatchTiming(
            self.podjobs_lease_s, self.podjobs_sweep_s, self.podjobs_busy_cap_s, self.podjobs_not_now_limit_s
        )

    @model_validator(mode="after")
    def _names_one_login(self) -> Self:
        with_login = [
            name.upper()
            for name, url in self.model_dump().items()
            if name.startswith(_URL) and url and "@" in urlsplit(url).netloc
        ]
        if self.podjobs_function_secret is not None and with_login:
            raise ValueError(
                f"{' and '.join(with_login)} must not contain a login beside PODJOBS_FUNCTION_SECRET: both would "
                "travel in the header Authorization"
            )
        return self

    def _function(self, function: Function) -> FunctionSettings | None:
        """The settings of a function; None if it has no URL."""
        values = self.model_dump(include={_URL + function.name, _CONCURRENCY + function.name, _LIMIT + function.name})
        url = values[_URL + function.name]
        if url is None:
            return None
        retries = RetryPolicy(
            base_s=self.podjobs_retry_base_s,
            factor=self.podjobs_retry_factor,
            cap_s=self.podjobs_retry_cap_s,
            limit=values.get(_LIMIT + function.name, NO_LIMIT),
        )
        concurrency = _CONCURRENCY + function.name
        is_set = concurrency in self.model_fields_set
        slots = values[concurrency]
        if function.concurrency is None and not is_set:
            slots = default_slots(url) or slots
        return FunctionSettings(function.name, url, slots, retries, is_set)


_URL, _CONCURRENCY, _LIMIT = "podjobs_function_url_", "podjobs_concurrency_", "podjobs_retry_limit_"
_SHARE = "podjobs_share_"
"""Each of these settings exists once per function, whose name follows."""


def adapter_settings() -> type[AdapterSettings]:
    """Build the settings class, with the settings of every function in the table (podjobs.contract.workflows)."""
    fields: dict[str, Any] = {}
    for function in all_functions():
        fields |= _function_fields(function)
    return create_model("AdapterSettings", __base__=AdapterSettings, **fields)


def _function_fields(function: Function) -> dict[str, Any]:
    """The settings of one function, as arguments for pydantic's create_model."""
    name = function.name
    url = f"URL of the function {name}."
    fields: dict[str, Any] = {_URL + name: (FunctionUrl, Field(description=url, repr=False))}
    if function.enabled_by:
        optional = Field(default=None, repr=False, description=f"{url} If not set: its queue is not read.")
        fields[_URL + name] = (FunctionUrl | None, optional)
    at_once = f"Maximum number of parallel requests to the function {name}."
    if function in step_functions():
        at_once += " If not set, and the function is reached through RQ: one more than it has workers."
    if function.concurrency is None:
        or_else = f"{at_once} On AWS Lambda: {LAMBDA_SLOTS}. Otherwise: the number of processors."
        concurrency = Field(default_factory=_processors, description=or_else)
    else:
        concurrency = Field(default=function.concurrency, description=at_once)
    fields[_CONCURRENCY + name] = (PositiveInt, concurrency)
    if function.attempts is not None:
        limit = (
            f"How often a step of the function {name} is tried before its job fails. {function.attempts_note}".rstrip()
        )
        fields[_LIMIT + name] = (PositiveInt, Field(default=function.attempts, description=limit))
    if function.queue:
        share = f"Percent of the messages of the queue {function.queue} that are taken. If not set: PODJOBS_SHARE."
        fields[_SHARE + name] = (Percent | None, Field(default=None, description=share))
    return fields


def _processors() -> int:
    return os.cpu_count() or 1
