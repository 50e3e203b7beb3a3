"""All groups of the settings of operation."""

from adapter.operation_settings.alerts import AlertSettings
from adapter.operation_settings.health import HealthSettings
from adapter.operation_settings.page import PageSettings
from adapter.operation_settings.prices import PriceSettings
from adapter.operation_settings.remote_control import RemoteControlSettings
from adapter.operation_settings.telemetry import TelemetrySettings


class OperationSettings(
    HealthSettings, PageSettings, AlertSettings, RemoteControlSettings, PriceSettings, TelemetrySettings
):
    """What the adapter shows, whom it tells, and what it answers."""
