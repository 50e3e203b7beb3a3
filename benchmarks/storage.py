"""The job of `encode` with its media in a bucket, beside the same with files: time, requests, bytes and their price.

The two take turns; medians are compared. The bucket is one of a real S3 server behind a proxy that adds a latency to
each request; neither's processor time counts, but both use the same processors.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.bucket_job import BucketRun, MeasuredBucket, count_steps, measured_bucket
from benchmarks.encoding_job import EncodingRun, local_settings
from benchmarks.measure import Cost, Target, console, judge, new_table
from benchmarks.storage_price import GB, Prices, usage_of_an_hour
from benchmarks.storage_reads import measure_reads, reads_table, reads_targets
from support.s3_requests import Kind, Tally
from support.source import make_source

FILES, BUCKET = "files", "a bucket"
CPU_FACTOR = 1.10
WALL_FACTOR = 1.25
CHUNK_OF_AN_HOUR_S = 60
WORK_KEPT_H = 1.0
"""How long work files are assumed to be there."""


@dataclass(frozen=True)
class Amounts:
    """How much is done."""

    seconds: int
    """Length of the source."""
    repeat: int
    """How often each way encodes it."""
    latency_ms: float
    """Before each request."""
    large_mb: int
    """Size of the source of which one chunk is made; 0: none is."""


def run(folder: Path, amounts: Amounts, prices: Prices) -> int:
    """Compare the two, then count what passes.

    Args:
        folder: where to work.
        amounts: how much.
        prices: of requests, storage and traffic.
    """
    source = make_source(folder, amounts.seconds)
    work = folder / "storage"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with measured_bucket(amounts.latency_ms / 1000, work / "proxy.log") as bucket:
        costs, targets = _compare(bucket, source, work, amounts)
        _print_costs(costs, amounts)
        tallies, steps = _count(bucket, source)
        _print_steps(tallies, steps, amounts.seconds)
        _print_prices(tallies, amounts.seconds, prices)
        if amounts.large_mb:
            reads = measure_reads(bucket, source, amounts.large_mb)
            console.print(reads_table(reads))
            targets += reads_targets(reads)
    shutil.rmtree(work)
    return judge(targets)


def _compare(
    bucket: MeasuredBucket, source: Path, work: Path, amounts: Amounts
) -> tuple[dict[str, Cost], list[Target]]:
    """Let both encode the source in turn."""
    processors = os.cpu_count() or 1
    files = EncodingRun(work / "media", local_settings(work / "media"), processors)
    ways: dict[str, EncodingRun] = {
        FILES: files,
        BUCKET: BucketRun(work, bucket.settings(), processors, bucket=bucket),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for turn in range(amounts.repeat):
        for name in sorted(ways, reverse=bool(turn % 2)):
            cost = ways[name].encode(source)
            costs[name].append(cost)
            console.print(f"[dim]{name}: {cost.cpu_s:.1f} CPU s, {cost.wall_s:.1f} s[/]")
    middle = {name: _median(values) for name, values in costs.items()}
    cpu = middle[BUCKET].cpu_s / middle[FILES].cpu_s
    wall = middle[BUCKET].wall_s / middle[FILES].wall_s
    same = set(bucket.published()) == {file.name for file in files.output.iterdir()}
    return middle, [
        Target(f"CPU at most {CPU_FACTOR:.2f} × that with files", f"× {cpu:.3f}", holds=cpu <= CPU_FACTOR),
        Target(
            f"wall time at most {WALL_FACTOR:.2f} × that with files, with {amounts.latency_ms:g} ms before the server",
            f"× {wall:.3f}",
            holds=wall <= WALL_FACTOR,
        ),
        Target("the same files are published", "yes" if same else "no", holds=same),
    ]


def _median(costs: list[Cost]) -> Cost:
    return Cost(median(cost.cpu_s for cost in costs), median(cost.wall_s for cost in costs))


def _count(bucket: MeasuredBucket, source: Path) -> tuple[dict[str, Tally], dict[str, int]]:
    """Count what passes, with chunks as long as those of an hour."""
    settings = bucket.settings(podjobs_chunk_min_s=CHUNK_OF_AN_HOUR_S)
    return count_steps(bucket, BucketRun(source.parent, settings, 1, bucket=bucket), source)


def _print_costs(costs: Mapping[str, Cost], amounts: Amounts) -> None:
    table = new_table(f"{amounts.seconds} s of 1080p with sound", "media in", "CPU s", "wall s", "CPU ×", "wall ×")
    for name, cost in costs.items():
        factors = cost.cpu_s / costs[FILES].cpu_s, cost.wall_s / costs[FILES].wall_s
        table.add_row(name, f"{cost.cpu_s:.1f}", f"{cost.wall_s:.1f}", *(f"{factor:.3f}" for factor in factors))
    console.print(table)


def _print_steps(tallies: Mapping[str, Tally], steps: Mapping[str, int], seconds: int) -> None:
    kinds = [kind for kind in Kind if any(tally.requests[kind] for tally in tallies.values())]
    title = f"What passed for {seconds} s, in chunks of {CHUNK_OF_AN_HOUR_S} s"
    table = new_table(title, "action", "steps", *kinds, "MB down", "MB up")
    for action, tally in [*tallies.items(), ("all", sum(tallies.values(), Tally()))]:
        table.add_row(
            action,
            str(steps.get(action, sum(steps.values()))),
            *(str(tally.requests[kind] or "") for kind in kinds),
            f"{tally.downloaded_bytes / 1e6:.2f}",
            f"{tally.uploaded_bytes / 1e6:.2f}",
        )
    console.print(table)


def _print_prices(tallies: Mapping[str, Tally], seconds: int, prices: Prices) -> None:
    usage = usage_of_an_hour(tallies, seconds)
    table = new_table("An hour of lecture, computed from that", "what", "how much", "$")
    kept = f"{usage.uploaded_bytes / GB:.2f} GB for {WORK_KEPT_H:g} h"
    rows = [
        ("requests that write, copy or list", f"{usage.writes:,.0f}", usage.writes * prices.writes / 1000),
        ("requests that read", f"{usage.reads:,.0f}", usage.reads * prices.reads / 1000),
        ("work files", kept, usage.kept_price(prices, WORK_KEPT_H)),
        ("traffic, if functions run elsewhere", f"{usage.downloaded_bytes / GB:.2f} GB", usage.out_price(prices)),
    ]
    for what, much, price in rows:
        table.add_row(what, much, f"{price:.5f}")
    console.print(table)
