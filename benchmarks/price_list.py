"""Prices of computers, requests and storage, and what amounts of them cost. Pure but for `read_prices`."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.storage_price import GB, HOURS_OF_A_MONTH

DEFAULT_PRICES = Path(__file__).with_name("prices.toml")
MB_OF_A_GB = 1024
"""As Lambda counts memory."""
FREE_EPHEMERAL_MB = 512
MB_OF_A_VCPU = 1769
"""Lambda gives a function with so much memory one vCPU, and others in proportion. Source: its developer guide."""
MOST_MEMORY_MB = 10_240
LEAST_MEMORY_MB = 128


@dataclass(frozen=True)
class LambdaPrices:
    """Of AWS Lambda, in US dollars."""

    gb_s_x86: float
    gb_s_arm: float
    request: float
    ephemeral_gb_s: float

    def duration_price(self, memory_mb: int, seconds: float, ephemeral_mb: int = FREE_EPHEMERAL_MB) -> float:
        """Of steps on x86-64.

        Args:
            memory_mb: the function's.
            seconds: that all steps take together.
            ephemeral_mb: the function's /tmp.
        """
        extra_gb = max(0, ephemeral_mb - FREE_EPHEMERAL_MB) / MB_OF_A_GB
        return seconds * (memory_mb / MB_OF_A_GB * self.gb_s_x86 + extra_gb * self.ephemeral_gb_s)


@dataclass(frozen=True)
class FargatePrices:
    """Of AWS Fargate, in US dollars."""

    vcpu_h: float
    gb_h: float
    least_s: float

    def hour_price(self, vcpus: float, memory_gb: float) -> float:
        """Of a task for an hour."""
        return vcpus * self.vcpu_h + memory_gb * self.gb_h


@dataclass(frozen=True)
class ObjectPrices:
    """Of Amazon S3, in US dollars."""

    write: float
    read: float
    gb_month: float

    def requests_price(self, writes: float, reads: float) -> float:
        """Of requests that write, copy or list, and of those that read."""
        return writes * self.write + reads * self.read

    def kept_price(self, n_bytes: float, hours: float) -> float:
        """Of bytes that are kept for so long."""
        return n_bytes / GB * self.gb_month * hours / HOURS_OF_A_MONTH


@dataclass(frozen=True)
class FilePrices:
    """Of Amazon EFS, in US dollars."""

    gb_month: float
    gb_read: float
    gb_written: float

    def transfer_price(self, read_bytes: float, written_bytes: float) -> float:
        """Of what is read and written."""
        return read_bytes / GB * self.gb_read + written_bytes / GB * self.gb_written


@dataclass(frozen=True)
class ServerPrices:
    """Of a server that is paid for whether it works or not, in US dollars."""

    vcpu_h: float
    utilisation: float
    """The share of its time in which it works."""

    def work_price(self, cpu_s: float) -> float:
        """Of processor seconds, with their share of the time in which the server waits."""
        return cpu_s / 3600 * self.vcpu_h / self.utilisation


@dataclass(frozen=True)
class RedisPrices:
    """Of ElastiCache Serverless, in US dollars."""

    gb_h: float
    least_gb: float
    million_ecpu: float

    def month_price(self, commands: float) -> float:
        """Of the smallest one for a month with so many small commands."""
        return self.gb_h * self.least_gb * HOURS_OF_A_MONTH + commands / 1e6 * self.million_ecpu


@dataclass(frozen=True)
class PriceList:
    """All of them."""

    functions: LambdaPrices
    fargate: FargatePrices
    objects: ObjectPrices
    files: FilePrices
    server: ServerPrices
    ec2: ServerPrices
    redis: RedisPrices


Prices = TypeVar("Prices")


def read_prices(path: Path = DEFAULT_PRICES) -> PriceList:
    """Read a price list.

    Args:
        path: a file like prices.toml.

    Raises:
        ValueError: a price is missing, no number, negative, or not known.
    """
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return PriceList(
        functions=_section(LambdaPrices, content, "lambda", path),
        fargate=_section(FargatePrices, content, "fargate", path),
        objects=_section(ObjectPrices, content, "s3", path),
        files=_section(FilePrices, content, "efs", path),
        server=_section(ServerPrices, content, "server", path),
        ec2=_section(ServerPrices, content, "ec2", path),
        redis=_section(RedisPrices, content, "redis", path),
    )


def _section(kind: type[Prices], content: dict[str, Any], name: str, path: Path) -> Prices:
    found = content.get(name, {})
    wanted = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # all kinds are dataclasses
    if set(found) != wanted:
        raise ValueError(f"[{name}] of {path} must have exactly {', '.join(sorted(wanted))}. See {DEFAULT_PRICES}.")
    for key, price in found.items():
        if not isinstance(price, int | float) or price < 0:
            raise ValueError(f"{key} in [{name}] of {path} must be a number of at least 0, not {price!r}.")
    return kind(**found)
