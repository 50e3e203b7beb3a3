"""The settings of what is told to monitoring. Traces have none of ours: OpenTelemetry's own are read (OTEL_…)."""

from pydantic import Field

from podjobs.settings import LogSettings


class TelemetrySettings(LogSettings):
    """Whether the adapter tells its numbers."""

    podjobs_metrics: bool = Field(
        default=True,
        description="Whether `/metrics` is served, beside the health pages, for Prometheus. It shows numbers only: no "
        "names of jobs, videos or people.",
    )
