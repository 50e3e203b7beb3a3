"""What an hour of lecture costs on AWS Lambda, on Fargate and on a server of one's own, from measured step costs.

All steps of real jobs are performed by the real functions with one processor (a control group's quota), their media
in the bucket of a real S3 server; chunks also with half a processor and with two. The hour is computed: its steps are
those that the real code plans for it. See docs/benchmarks.md for what is measured, and what is not.
"""

import multiprocessing
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bucket_job import MeasuredBucket, measured_bucket
from benchmarks.cost_report import HOUR_S, print_actions, print_seen, report_hour
from benchmarks.invocations import count_invocations
from benchmarks.lambda_steps import Medium, Network, Seen, measure_encoding, measure_transcription
from benchmarks.lecture_cost import LONGEST_STEP_S
from benchmarks.measure import Target, judge
from benchmarks.price_list import PriceList
from benchmarks.step_costs import ActionCost, Sample, fit, write_costs
from support.lecture import make_lecture
from support.source import make_talk, repeat_source

COSTS_FILE = "step_costs.json"
SHORT_S, CLIP_S, LONG_TIMES = 8, 24, 10
SPEECH_MINUTES = (1, 5)
WHOLE, HALF, TWO = 1.0, 0.5, 2.0
QUARTER_S = 900
"""Of an hour."""


@dataclass(frozen=True)
class Measured:
    """What was seen, and what follows from it."""

    seen: Sequence[Seen]
    costs: Mapping[str, ActionCost]


def run(folder: Path, prices: PriceList, network: Network) -> int:
    """Measure, compute, print.

    Args:
        folder: where to work.
        prices: of everything.
        network: between functions and storage.
    """
    work = folder / "cost"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with measured_bucket(network.latency_s, work / "proxy.log") as bucket:
        measured = _measure(bucket, folder, work / "scratch", network)
    shutil.rmtree(work)
    about = f"{platform.machine()}, {os.cpu_count()} processors, {time.strftime('%Y-%m-%d')}"
    write_costs(folder / COSTS_FILE, measured.costs, about)
    print_seen(measured.seen)
    print_actions(measured.costs)
    ready_s, longest_s = report_hour(measured.costs, prices, count_invocations(folder / "invocations", HOUR_S))
    return judge(
        [
            Target(
                "every step of an hour ends within Lambda's 900 s",
                f"{longest_s:.0f} s",
                holds=longest_s < LONGEST_STEP_S,
            ),
            Target("an hour is encoded within a quarter of an hour", f"{ready_s:.0f} s", holds=ready_s < QUARTER_S),
        ]
    )


def _measure(bucket: MeasuredBucket, folder: Path, scratch: Path, network: Network) -> Measured:
    seen = []
    for job in _jobs(folder):
        scratch.mkdir(exist_ok=True)
        seen += _in_fresh_process(job, bucket, scratch)
    samples: dict[str, list[Sample]] = {}
    busy: dict[str, float] = {}
    for step in seen:
        if step.vcpus == WHOLE:
            samples.setdefault(step.name, []).append(step.sample(network))
        elif step.vcpus == TWO:
            busy[step.name] = max(busy.get(step.name, 1.0), step.busy)
    return Measured(seen, {name: fit(found, busy.get(name, 1.0)) for name, found in samples.items()})


@dataclass(frozen=True)
class _Job:
    """Something that is measured."""

    function: str
    medium: Medium
    vcpus: float
    counts_chunk: bool = True

    def __str__(self) -> str:
        return f"{self.function}: {self.medium.length_s:.0f} s with {self.vcpus:g} vCPU"

    def measure(self, bucket: MeasuredBucket, scratch: Path) -> list[Seen]:
        """Perform it."""
        if self.function == "transcription":
            return measure_transcription(bucket, self.medium, self.vcpus, scratch)
        if self.counts_chunk:
            return measure_encoding(bucket, self.medium, self.vcpus, scratch)
        seen = measure_encoding(bucket, self.medium, self.vcpus, scratch, ffmpeg_preset="ultrafast")
        return [one for one in seen if one.step.action != "chunk"]


def _jobs(folder: Path) -> Iterator[_Job]:
    sounds = [make_lecture(folder / "speech", minutes) for minutes in SPEECH_MINUTES]
    short, clip = (Medium(make_talk(folder, seconds, sounds[-1].path), seconds) for seconds in (SHORT_S, CLIP_S))
    for source, vcpus in ((short, WHOLE), (clip, WHOLE), (short, HALF), (short, TWO)):
        yield _Job("encoding", source, vcpus)
    yield _Job("encoding", Medium(repeat_source(clip.path, LONG_TIMES), CLIP_S * LONG_TIMES), WHOLE, counts_chunk=False)
    for vcpus in (WHOLE, TWO):
        for sound in sounds:
            yield _Job("transcription", Medium(sound.path, sound.length_s), vcpus)


def _in_fresh_process(job: _Job, bucket: MeasuredBucket, scratch: Path) -> list[Seen]:
    """Measure a job in a process of its own, so that memory is not that of all jobs before."""
    print(job, flush=True)
    # A fork inherits the bucket: the handles of its servers cannot be sent.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, context, initializer=_inherit, initargs=(bucket,)) as pool:
        return pool.submit(_measure_here, job, scratch).result()


_inherited: list[MeasuredBucket] = []


def _inherit(bucket: MeasuredBucket) -> None:
    _inherited.append(bucket)


def _measure_here(job: _Job, scratch: Path) -> list[Seen]:
    return job.measure(_inherited[-1], scratch)
