"""The adapter's settings, from the environment or Pod's settings file. Every field tells its unit."""

import os
import sys
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, SecretStr

from adapter.connections import redis_url
from adapter.delivery.ways import check_function_url
from adapter.retries import RetryPolicy
from podjobs.settings import PodSettings, load_settings

__all__ = ["AdapterSettings", "FunctionSettings", "RecordSettings", "load_settings"]


def _redis(url: SecretStr) -> SecretStr:
    return SecretStr(redis_url(url.get_secret_value()))


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("must be an absolute path")
    return path


NO_LIMIT = sys.maxsize
"""Statements are tried until the LRS has them."""
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
FunctionUrl = Annotated[str, AfterValidator(check_function_url)]


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """One function the adapter moves steps to."""

    name: str
    url: str
    concurrency: int
    retries: RetryPolicy


@dataclass(frozen=True, slots=True)
class DispatchTiming:
    """When the dispatch looks at what."""

    lease_s: float
    """Without a sign of life for so long, an adapter's steps are taken over."""
    sweep_s: float
    """Between two looks at the steps that are due again."""
    busy_cap_s: float
    """Longest wait after «not now» answers that name no time."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is complete; the first of them."""

    statements: int
    size_bytes: int
    wait_s: float
    """Since its first statement."""


@dataclass(frozen=True, slots=True)
class StatementSettings:
    """How xAPI statements are moved."""

    function: FunctionSettings
    batches: BatchLimits
    held_limit: int


class RecordSettings(PodSettings):
    """What it takes to read and write the job records: enough for the operator's commands."""

    encoding_transcoding_celery_broker_url: RedisUrl = Field(
        description="Redis URL of the Celery broker, the same as in Pod's settings (redis://, rediss:// or unix://)."
    )
    podjobs_redis_url: RedisUrl | None = Field(
        default=None, description="Redis URL for jobs and steps. Not set: the broker's."
    )
    xapi_celery_broker_url: RedisUrl | None = Field(
        default=None,
        description="Redis URL of the Celery broker of the queue xapi, the same as in Pod's settings. "
        "Not set: ENCODING_TRANSCODING_CELERY_BROKER_URL.",
    )
    podjobs_window: PositiveInt = Field(
        default=128, description="Steps of one job that are in the streams at once, so that long jobs starve no others."
    )
    podjobs_job_ttl_s: PositiveInt = Field(
        default=30 * 86_400, description="Seconds the record and the log of a job that has ended are kept."
    )
    podjobs_log_level: str = Field(
        default="INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Lowest level of log lines: DEBUG, INFO, WARNING or ERROR.",
    )

    @property
    def broker_url(self) -> str:
        """Where Pod puts its Celery messages; may hold a password."""
        return self.encoding_transcoding_celery_broker_url.get_secret_value()

    @property
    def xapi_broker_url(self) -> str:
        """Where Pod puts its xAPI statements; may hold a password."""
        return self.xapi_celery_broker_url.get_secret_value() if self.xapi_celery_broker_url else self.broker_url

    @property
    def jobs_url(self) -> str:
        """Where jobs and steps are kept; may hold a password."""
        return self.podjobs_redis_url.get_secret_value() if self.podjobs_redis_url else self.broker_url


class AdapterSettings(RecordSettings):
    """What the long-lived process needs."""

    media_root: Annotated[str, AfterValidator(_absolute)] = Field(
        description="Pod's MEDIA_ROOT, absolute, as the Pod server sees it: jobs that name a path outside are refused."
    )
    podjobs_function_url_encoding: FunctionUrl = Field(description="URL of the encoding function.")
    podjobs_function_url_notification: FunctionUrl = Field(description="URL of the notification function.")
    podjobs_function_url_xapi: FunctionUrl | None = Field(
        default=None, description="URL of the xapi function. Not set: the queue xapi is not read."
    )
    podjobs_function_url_transcription: FunctionUrl | None = Field(
        default=None,
        description="URL of the transcription function. Not set: the queue `transcripting` is left to others.",
    )
    podjobs_concurrency_encoding: PositiveInt = Field(
        default_factory=lambda: os.cpu_count() or 1,
        description="Encoding steps that run at once. Not set: the number of processors.",
    )
    podjobs_concurrency_notification: PositiveInt = Field(default=4, description="Notification steps that run at once.")
    podjobs_concurrency_xapi: PositiveInt = Field(default=4, description="Batches of xAPI statements sent at once.")
    podjobs_xapi_batch_statements: PositiveInt = Field(
        default=500, description="Most xAPI statements in a batch, which is one request to the LRS."
    )
    podjobs_xapi_batch_bytes: int = Field(
        default=1_000_000, ge=10_000, description="Most bytes in a batch; longer statements are put aside."
    )
    podjobs_xapi_batch_wait_s: PositiveFloat = Field(
        default=1, description="Longest time a statement waits for its batch to fill, in seconds."
    )
    podjobs_xapi_held_limit: PositiveInt = Field(
        default=1_000_000,
        description="xAPI statements held in Redis, waiting or put aside, from which on they stay on Pod's queue.",
    )
    podjobs_concurrency_transcription: PositiveInt = Field(
        default_factory=lambda: os.cpu_count() or 1,
        description="Transcription steps that run at once. Not set: the number of processors.",
    )
    podjobs_retry_base_s: PositiveFloat = Field(default=15, description="Seconds before the second attempt of a step.")
    podjobs_retry_factor: float = Field(default=2, ge=1, description="Growth of the wait from one attempt to the next.")
    podjobs_retry_cap_s: PositiveFloat = Field(
        default=600, description="Longest wait between two attempts, in seconds."
    )
    podjobs_retry_limit_encoding: PositiveInt = Field(
        default=5, description="Attempts of an encoding step before its job fails."
    )
    podjobs_retry_limit_notification: PositiveInt = Field(
        default=200,
        description="Attempts of a notification step before its job fails: 200 let Pod be down for 32 hours.",
    )
    podjobs_retry_limit_transcription: PositiveInt = Field(
        default=5, description="Attempts of a transcription step before its job fails."
    )
    podjobs_busy_cap_s: PositiveFloat = Field(
        default=60, description="Longest wait, in seconds, after «not now» answers that name no time themselves."
    )
    podjobs_timeout_margin_s: NonNegativeFloat = Field(
        default=15, description="Seconds a function is given beyond a step's own time limit, to answer."
    )
    podjobs_lease_s: PositiveFloat = Field(
        default=15, description="Seconds without a sign of life after which an adapter's steps are taken over."
    )
    podjobs_sweep_s: PositiveFloat = Field(
        default=1, description="Seconds between two looks at steps that wait for another attempt or a new owner."
    )
    podjobs_grace_s: NonNegativeFloat = Field(
        default=8,
        description="Seconds running steps may take to end when the adapter is stopped; the rest is given back.",
    )
    podjobs_health_host: str = Field(default="127.0.0.1", description="Address of the health and status pages.")
    podjobs_health_port: NonNegativeInt = Field(
        default=8090, le=65535, description="Port of the health and status pages; 0 takes any free one and logs it."
    )

    @property
    def functions(self) -> tuple[FunctionSettings, ...]:
        """The functions steps are moved to."""
        functions = (
            self._function(
                "encoding",
                self.podjobs_function_url_encoding,
                self.podjobs_concurrency_encoding,
                self.podjobs_retry_limit_encoding,
            ),
            self._function(
                "notification",
                self.podjobs_function_url_notification,
                self.podjobs_concurrency_notification,
                self.podjobs_retry_limit_notification,
            ),
        )
        if not self.podjobs_function_url_transcription:
            return functions
        transcription = self._function(
            "transcription",
            self.podjobs_function_url_transcription,
            self.podjobs_concurrency_transcription,
            self.podjobs_retry_limit_transcription,
        )
        return (*functions, transcription)

    @property
    def statements(self) -> StatementSettings | None:
        """How xAPI statements are moved; None: they are left alone."""
        if self.podjobs_function_url_xapi is None:
            return None
        function = self._function("xapi", self.podjobs_function_url_xapi, self.podjobs_concurrency_xapi, NO_LIMIT)
        batches = BatchLimits(
            self.podjobs_xapi_batch_statements, self.podjobs_xapi_batch_bytes, self.podjobs_xapi_batch_wait_s
        )
        return StatementSettings(function, batches, self.podjobs_xapi_held_limit)

    @property
    def timing(self) -> DispatchTiming:
        """The times of the dispatch."""
        return DispatchTiming(self.podjobs_lease_s, self.podjobs_sweep_s, self.podjobs_busy_cap_s)

    def _function(self, name: str, url: str, concurrency: int, limit: int) -> FunctionSettings:
        retries = RetryPolicy(
            base_s=self.podjobs_retry_base_s,
            factor=self.podjobs_retry_factor,
            cap_s=self.podjobs_retry_cap_s,
            limit=limit,
        )
        return FunctionSettings(name=name, url=url, concurrency=concurrency, retries=retries)
