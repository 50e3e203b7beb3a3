"""The settings of the health and status pages, and of the numbers in the log."""

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from podjobs.settings import LogSettings


class HealthSettings(LogSettings):
    """Where the adapter says how it is."""

    podjobs_gauges_s: NonNegativeFloat = Field(
        default=0,
        description="Interval at which the adapter logs its numbers as one line, in seconds: dead letters, the oldest "
        "that waits, and others. For dashboards and alarms that read logs; `/status` shows them at any time. 0: never.",
    )
    podjobs_health_host: str = Field(
        default="127.0.0.1", description="Address on which the health and status pages are served."
    )
    podjobs_health_port: NonNegativeInt = Field(
        default=8090, le=65535, description="Port of the health and status pages. 0: a free one, which is logged."
    )
