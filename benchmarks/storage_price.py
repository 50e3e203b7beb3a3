"""What an hour of lecture costs at an object storage that charges for requests, storage and traffic. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from support.s3_requests import Kind, Tally

HOURS_OF_A_MONTH = 730
GB = 1_000_000_000
CHARGED_AS_WRITES = frozenset({
    Kind.PUT, Kind.COPY, Kind.CREATE, Kind.PART, Kind.PART_COPY, Kind.COMPLETE, Kind.LIST, Kind.OTHER,
})  # fmt: skip
CHARGED_AS_READS = frozenset({Kind.GET, Kind.HEAD})
"""Deleting and aborting are free. Source: Amazon S3 pricing."""
PER_LENGTH = frozenset({"repackage", "chunk", "audio", "subtitles", "package"})
"""Actions that do more the longer the video is; the others are about the same for any length."""


@dataclass(frozen=True)
class Prices:
    """In US dollars. Defaults: Amazon S3 Standard in us-east-1, as listed in 2025."""

    writes: float = 0.005
    """For 1,000 requests that write, copy or list."""
    reads: float = 0.0004
    """For 1,000 requests that read."""
    month: float = 0.023
    """For a GB (10⁹ bytes) that is stored for a month."""
    out: float = 0.09
    """For a GB that leaves the provider's network; within it, nothing is charged."""


@dataclass(frozen=True)
class Usage:
    """What a job uses."""

    writes: float
    reads: float
    uploaded_bytes: float
    downloaded_bytes: float

    def requests_price(self, prices: Prices) -> float:
        """Of its requests."""
        return (self.writes * prices.writes + self.reads * prices.reads) / 1000

    def kept_price(self, prices: Prices, hours: float) -> float:
        """Of what it wrote, if that is kept for so long."""
        return self.uploaded_bytes / GB * prices.month * hours / HOURS_OF_A_MONTH

    def out_price(self, prices: Prices) -> float:
        """Of what it read, if functions run elsewhere."""
        return self.downloaded_bytes / GB * prices.out


def usage_of_an_hour(tallies: Mapping[str, Tally], seconds: float) -> Usage:
    """Compute what an hour uses from what a shorter video used.

    Args:
        tallies: by action; chunks as long as those of an hour.
        seconds: length of the shorter one.
    """
    writes = reads = uploaded = downloaded = 0.0
    for action, tally in tallies.items():
        factor = 3600 / seconds if action in PER_LENGTH else 1.0
        writes += factor * sum(count for kind, count in tally.requests.items() if kind in CHARGED_AS_WRITES)
        reads += factor * sum(count for kind, count in tally.requests.items() if kind in CHARGED_AS_READS)
        uploaded += factor * tally.uploaded_bytes
        downloaded += factor * tally.downloaded_bytes
    return Usage(writes, reads, uploaded, downloaded)
