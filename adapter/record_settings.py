"""The settings that say where messages and job records are: enough for the operator's commands."""

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from podjobs.contract.workflows import XAPI
from podjobs.redis_urls import JobsUrl, RedisUrl, cluster_service
from podjobs.settings import LogSettings


class RecordSettings(LogSettings):
    """What is needed to read and write the job records: enough for the operator's commands."""

    encoding_transcoding_celery_broker_url: RedisUrl = Field(
        description="Redis URL of the Celery broker, as in Pod's settings: redis://, rediss://, unix://, or "
        "redis+sentinel://host:26379,host:26379/<master>/<database>."
    )
    podjobs_redis_url: JobsUrl | None = Field(
        default=None,
        description="Redis URL for jobs and steps; may be in cluster mode, redis+cluster://host:6379,host:6379. "
        "If not set: the broker's.",
    )
    xapi_celery_broker_url: RedisUrl | None = Field(
        default=None,
        description="Redis URL of the Celery broker of the queue xapi, as in Pod's settings. "
        "If not set: ENCODING_TRANSCODING_CELERY_BROKER_URL.",
    )
    podjobs_job_ttl_s: PositiveInt = Field(
        default=30 * 86_400, description="How long the record and the log of an ended job are kept, in seconds."
    )
    podjobs_history_ttl_s: PositiveInt = Field(
        default=7 * 86_400,
        description="How long is kept how the steps of an ended job went, in seconds: who waited for what, and for how "
        "long. About 100 bytes of Redis' memory for each step.",
    )
    podjobs_dead_ttl_s: NonNegativeInt = Field(
        default=90 * 86_400,
        description="How long dead letters are kept, in seconds: steps, messages and statements that could not be "
        "processed. What is removed is said in the log, once an hour. 0: until an operator replays or drops them.",
    )
    podjobs_lease_s: PositiveFloat = Field(
        default=15,
        description="Time without a heartbeat after which other adapters reclaim an adapter's steps, in seconds.",
    )

    @property
    def broker_url(self) -> str:
        """Where Pod puts its Celery messages; may contain a password."""
        return self.encoding_transcoding_celery_broker_url.get_secret_value()

    @property
    def xapi_broker_url(self) -> str:
        """Where Pod puts its xAPI statements; may contain a password."""
        return self.xapi_celery_broker_url.get_secret_value() if self.xapi_celery_broker_url else self.broker_url

    def queue_url(self, queue: str) -> str:
        """Where Pod puts the messages of a queue; may contain a password."""
        return self.xapi_broker_url if queue == XAPI.queue else self.broker_url

    @property
    def jobs_url(self) -> str:
        """Where jobs and steps are stored; may contain a password."""
        return self.podjobs_redis_url.get_secret_value() if self.podjobs_redis_url else self.broker_url

    @property
    def jobs_in_cluster(self) -> bool:
        """Whether jobs and steps are in a Redis in cluster mode."""
        return cluster_service(self.jobs_url) is not None
