"""How much of a large source the plan and one chunk transfer, each in a function that has just started."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from benchmarks.bucket_job import BucketRun, MeasuredBucket
from benchmarks.measure import Target, new_table
from podjobs.contract.plans import Stage
from support.s3_requests import Tally
from support.source import repeat_source

CHUNK_FACTOR = 1.3
PLAN_BYTES = 20_000_000
CONTAINERS = {
    "MP4, index at the beginning": (".mp4", ("-movflags", "+faststart")),
    "MOV, index at the end": (".mov", ()),
    "Matroska": (".mkv", ()),
}
"""What is made of the same streams: suffix and the muxer's options."""


@dataclass(frozen=True)
class Reads:
    """What was transferred for one source."""

    container: str
    source_bytes: int
    plan: Tally
    chunk: Tally
    interval_bytes: int
    """Of all packets whose times are within the chunk."""

    @property
    def factor(self) -> float:
        """Transferred for the chunk, by what it needs."""
        return self.chunk.downloaded_bytes / self.interval_bytes


def measure_reads(bucket: MeasuredBucket, clip: Path, large_mb: int) -> list[Reads]:
    """Plan and encode one chunk of a large source, in each container.

    Args:
        bucket: for the media.
        clip: played again and again, until the source is large.
        large_mb: least size of the source, in 10⁶ bytes.
    """
    times = -(-large_mb * 1_000_000 // clip.stat().st_size)
    large = repeat_source(clip, times)
    return [_measure(bucket, name, _remux(large, *how)) for name, how in CONTAINERS.items()]


def _remux(source: Path, suffix: str, options: Sequence[str]) -> Path:
    target = source.with_name(f"{source.stem}-in{suffix}")
    if not target.exists():
        partial = target.with_name(f"partial-{target.name}")
        argv = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source), "-map", "0", "-c", "copy", *options]
        subprocess.run([*argv, str(partial)], check=True)
        partial.replace(target)
    return target


def _measure(bucket: MeasuredBucket, container: str, source: Path) -> Reads:
    run = BucketRun(source, bucket.settings(), concurrency=1, bucket=bucket, on_step=bucket.proxy.label)
    stages = run.stages(source)
    before = bucket.proxy.tallies()
    run.perform(next(stages))
    encode = next(stages)
    chunks = [spec for spec in encode.steps if spec.action == "chunk"]
    chunk = chunks[len(chunks) // 2]
    run.restart_function()
    run.perform(Stage(name=encode.name, steps=(chunk,)))
    after = bucket.proxy.tallies()
    origin_s = run.recipe.origin_s
    start_s, end_s = chunk.params["start_s"] + origin_s, chunk.params["expected_end_s"] + origin_s
    passed = {action: after[action] - before.get(action, Tally()) for action in ("plan", "chunk")}
    return Reads(
        container, source.stat().st_size, passed["plan"], passed["chunk"], _bytes_between(source, start_s, end_s)
    )


def _bytes_between(source: Path, start_s: float, end_s: float) -> int:
    """The size of all packets with times in [start, end)."""
    argv = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,size", "-of", "json"]
    argv += ["-read_intervals", f"{max(0.0, start_s - 20)}%{end_s + 20}", str(source)]
    packets = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)["packets"]
    return sum(int(one["size"]) for one in packets if start_s <= float(one.get("pts_time", -1)) < end_s)


def reads_table(reads: Sequence[Reads]) -> Table:
    """What was transferred, for people."""
    columns = ("source", "MB", "plan: MB", "requests", "chunk: MB", "requests", "its interval, MB", "×")
    table = new_table("Read from a large source", *columns)
    for one in reads:
        table.add_row(
            one.container,
            f"{one.source_bytes / 1e6:,.0f}",
            f"{one.plan.downloaded_bytes / 1e6:.2f}",
            f"{one.plan.requests.total()}",
            f"{one.chunk.downloaded_bytes / 1e6:.2f}",
            f"{one.chunk.requests.total()}",
            f"{one.interval_bytes / 1e6:.2f}",
            f"{one.factor:.2f}",
        )
    return table


def reads_targets(reads: Sequence[Reads]) -> list[Target]:
    """What is promised of reading."""
    targets = []
    for one in reads:
        plan_mb = one.plan.downloaded_bytes / 1e6
        targets += [
            Target(
                f"{one.container}: a chunk transfers at most {CHUNK_FACTOR} × its interval",
                f"× {one.factor:.2f}",
                holds=one.factor <= CHUNK_FACTOR,
            ),
            Target(
                f"{one.container}: the plan transfers at most {PLAN_BYTES / 1e6:.0f} MB",
                f"{plan_mb:.2f} MB",
                holds=one.plan.downloaded_bytes <= PLAN_BYTES,
            ),
        ]
    return targets
