"""The settings that say what processor time and memory cost."""

from pydantic import Field, NonNegativeFloat

from podjobs.settings import LogSettings


class PriceSettings(LogSettings):
    """What a job's cost is computed with. Nothing else depends on it."""

    podjobs_watts_per_core: NonNegativeFloat = Field(
        default=3.5,
        description="Power that a busy processor core takes, in watts, as the system counts cores. 3.5 is the average "
        "of a hyper-thread under full load over AWS's machines, by SPECpower (cloudcarbonfootprint.org, "
        "«Methodology»), without cooling. Say your own: a server's power under load, less that at rest, divided by its "
        "cores.",
    )
    podjobs_price_cpu_hour: NonNegativeFloat | None = Field(
        default=None, description="Price of an hour of one core, in PODJOBS_CURRENCY. If not set: not stated."
    )
    podjobs_price_gb_hour: NonNegativeFloat | None = Field(
        default=None,
        description="Price of an hour of 1 GB of memory, in PODJOBS_CURRENCY. If not set: not stated.",
    )
    podjobs_currency: str = Field(
        default="EUR",
        min_length=1,
        max_length=8,
        description="Currency of PODJOBS_PRICE_CPU_HOUR and PODJOBS_PRICE_GB_HOUR.",
    )
