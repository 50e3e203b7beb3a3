"""The settings of Celery's remote control."""

from pydantic import Field

from podjobs.settings import LogSettings


class RemoteControlSettings(LogSettings):
    """Whether Celery's own commands are answered."""

    podjobs_remote_control: bool = Field(
        default=True,
        description="Whether the adapter answers `celery inspect`, `celery control` and flower on the brokers. They "
        "need no password but that of Redis.",
    )
