"""The settings of a pool of RQ workers, beside those of its function."""

from typing import Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, model_validator

from podjobs.redis_urls import JobsUrl, RedisUrl, cluster_service
from podjobs.settings import LogSettings


class WorkerSettings(LogSettings):
    """What every worker reads."""

    podjobs_rq_url: RedisUrl | None = Field(
        default=None, description="Redis URL of the RQ queues. If not set: PODJOBS_REDIS_URL, or the broker's."
    )
    podjobs_redis_url: JobsUrl | None = Field(
        default=None, description="Redis URL for jobs and steps, as the adapter has it."
    )
    encoding_transcoding_celery_broker_url: RedisUrl | None = Field(
        default=None, description="Redis URL of the Celery broker, as in Pod's settings."
    )
    podjobs_worker_grace_s: NonNegativeFloat = Field(
        default=8,
        description="How long a running step may take to end when a worker is stopped, in seconds. Then it is given "
        "back, and another worker begins it anew.",
    )
    podjobs_worker_memory_mb: NonNegativeInt | None = Field(
        default=None,
        description="Memory that the process which performs a worker's steps may hold between two of them, in MiB; "
        "with more, it is replaced. 0: as much as it likes. If not set: 1024, but for transcription 0.",
    )

    @property
    def rq_url(self) -> str:
        """Where the queues are; may contain a password."""
        given = self.podjobs_rq_url or self.podjobs_redis_url or self.encoding_transcoding_celery_broker_url
        return given.get_secret_value() if given else ""

    @model_validator(mode="after")
    def _names_redis(self) -> Self:
        if not self.rq_url:
            raise ValueError(
                "PODJOBS_RQ_URL, PODJOBS_REDIS_URL or ENCODING_TRANSCODING_CELERY_BROKER_URL must be set, as the "
                "adapter has it"
            )
        if cluster_service(self.rq_url):
            raise ValueError(
                "PODJOBS_RQ_URL must be set, as the adapter has it: RQ cannot keep its queues in the cluster of "
                "PODJOBS_REDIS_URL"
            )
        return self
