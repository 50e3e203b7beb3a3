"""What jobs cost: processor time and memory as measured, energy and money at stated rates. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from adapter.inspection.job_record import JobRecord
from adapter.operation_settings.prices import PriceSettings

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Prices:
    """The stated rates."""

    watts_per_core: float
    cpu_hour: float | None = None
    """Of one core. None: not stated."""
    gb_hour: float | None = None
    """Of 1 GB of memory. None: not stated."""
    currency: str = "EUR"

    @classmethod
    def of(cls, settings: PriceSettings) -> "Prices":
        """The rates of the settings."""
        return cls(
            settings.podjobs_watts_per_core,
            settings.podjobs_price_cpu_hour,
            settings.podjobs_price_gb_hour,
            settings.podjobs_currency,
        )

    @property
    def are_stated(self) -> bool:
        """Whether any amount of money can be said."""
        return self.cpu_hour is not None or self.gb_hour is not None


@dataclass(frozen=True, slots=True)
class Amount:
    """What was used."""

    cpu_s: float = 0.0
    gb_s: float = 0.0
    """Gigabytes of memory, times the seconds for which a step could have them."""

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.cpu_s + other.cpu_s, self.gb_s + other.gb_s)

    def times(self, factor: float) -> "Amount":
        """So many times as much."""
        return Amount(self.cpu_s * factor, self.gb_s * factor)

    def energy_wh(self, prices: Prices) -> float:
        """Of the cores that were busy, in watt-hours."""
        return self.cpu_s * prices.watts_per_core / HOUR_S

    def price(self, prices: Prices) -> float | None:
        """At the prices that are stated; None: none is."""
        if not prices.are_stated:
            return None
        return (self.cpu_s * (prices.cpu_hour or 0.0) + self.gb_s * (prices.gb_hour or 0.0)) / HOUR_S

    def as_fields(self, prices: Prices) -> dict[str, float | None]:
        """For programs."""
        price = self.price(prices)
        return {
            "cpu_s": round(self.cpu_s, 3),
            "gb_s": round(self.gb_s, 3),
            "energy_wh": round(self.energy_wh(prices), 4),
            "price": None if price is None else round(price, 6),
        }


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job has cost, or several."""

    prices: Prices
    used: Amount = field(default_factory=Amount)
    lost: Amount = field(default_factory=Amount)
    """The part of it that went into attempts that failed, as far as these could say so."""
    of_media: Amount = field(default_factory=Amount)
    """The part of it that jobs have used whose length is known."""
    media_s: float = 0.0
    """The length of what those jobs make."""
    jobs: int = 0
    unmeasured: int = 0
    """How many of the jobs are not in it: no function has said what they use."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.prices,
            self.used + other.used,
            self.lost + other.lost,
            self.of_media + other.of_media,
            self.media_s + other.media_s,
            self.jobs + other.jobs,
            self.unmeasured + other.unmeasured,
        )

    @property
    def is_known(self) -> bool:
        """Whether anything was measured."""
        return self.jobs > self.unmeasured

    @property
    def per_media_hour(self) -> Amount | None:
        """For an hour of media; None: no length is known."""
        return self.of_media.times(HOUR_S / self.media_s) if self.media_s else None

    def as_fields(self) -> dict[str, Any]:
        """For programs."""
        per_hour = self.per_media_hour
        return {
            "jobs": self.jobs,
            "unmeasured": self.unmeasured,
            "media_s": round(self.media_s, 3),
            "used": self.used.as_fields(self.prices),
            "lost": self.lost.as_fields(self.prices),
            "per_media_hour": per_hour.as_fields(self.prices) if per_hour else None,
        }


def cost_of(record: JobRecord, prices: Prices) -> Cost:
    """What a job has cost so far."""
    used = Amount(record.number("cpu_s"), record.number("gb_s"))
    if not used.cpu_s:
        return Cost(prices, jobs=1, unmeasured=1)
    lost = Amount(record.number("lost_cpu_s"), record.number("lost_gb_s"))
    media_s = record.number("media_s")
    return Cost(prices, used, lost, used if media_s else Amount(), media_s, jobs=1)


def cost_by_type(records: Iterable[JobRecord], prices: Prices) -> dict[str, Cost]:
    """What jobs have cost, by their types, in the order of the types' names."""
    found: dict[str, Cost] = {}
    for record in records:
        found[record.type] = found.get(record.type, Cost(prices)) + cost_of(record, prices)
    return dict(sorted(found.items()))


def total_cost(costs: Iterable[Cost], prices: Prices) -> Cost:
    """The sum."""
    return sum(costs, Cost(prices))


def describe(cost: Cost) -> str:
    """A job's cost in one line, as `12 s CPU · 3.1 GB·s · 0.012 Wh · 0.0003 EUR`; empty: not known."""
    return describe_amount(cost.used, cost.prices) if cost.is_known else ""


def describe_amount(amount: Amount, prices: Prices) -> str:
    """The same of an amount."""
    parts = [
        f"{_short(amount.cpu_s)} s CPU",
        f"{_short(amount.gb_s)} GB·s",
        f"{_short(amount.energy_wh(prices))} Wh",
    ]
    if (price := amount.price(prices)) is not None:
        parts.append(f"{_short(price)} {prices.currency}")
    return " · ".join(parts)


def _short(number: float) -> str:
    """Three digits, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}" if number >= 1e-4 else f"{number:.4f}"  # noqa: PLR2004
