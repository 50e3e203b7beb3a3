"""Measures every step of real jobs as AWS Lambda would run it: few processors, media in a bucket, nothing in memory.

Each kind of step is measured on a short and a longer source, whose picture is one chunk, so that what is fixed can be
told from what grows. Chunks are also measured with half a processor and with two.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

from benchmarks.bucket_job import POD_ROOT, PREFIX, BucketRun, MeasuredBucket
from benchmarks.encoding_job import TimedStep
from benchmarks.measure import measuring
from benchmarks.memory_watch import Peak, watching_peak
from benchmarks.processor_share import processor_share
from benchmarks.step_costs import Sample, StepUse, media_seconds
from benchmarks.storage_price import CHARGED_AS_READS, CHARGED_AS_WRITES
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.reply_to import Nobody
from podjobs.testing import JobRun
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.settings import TranscriptionSettings
from support.s3_requests import Tally
from support.transcriber import MODEL

SOUND = "videos/sound.mp3"


@dataclass(frozen=True)
class Network:
    """What is assumed between functions and storage: nothing of it is measured, and nothing overlaps with work."""

    latency_s: float
    """Of each request."""
    bytes_s: float


@dataclass(frozen=True)
class Seen:
    """A step as it was seen."""

    function: str
    step: TimedStep
    media_s: float
    vcpus: float
    peak: Peak
    tally: Tally

    @property
    def name(self) -> str:
        """Function and action."""
        return f"{self.function}/{self.step.action}"

    @property
    def busy(self) -> float:
        """How many processors it used."""
        return self.step.cost.cpu_s / self.step.cost.wall_s

    def sample(self, network: Network) -> Sample:
        """What counts of it.

        Args:
            network: between the function and the storage.
        """
        requests = self.tally.requests
        reads = sum(count for kind, count in requests.items() if kind in CHARGED_AS_READS)
        writes = sum(count for kind, count in requests.items() if kind in CHARGED_AS_WRITES)
        use = StepUse(
            cpu_s=self.step.cost.cpu_s,
            waits_s=(reads + writes) * network.latency_s
            + (self.tally.downloaded_bytes + self.tally.uploaded_bytes) / network.bytes_s,
            memory_bytes=self.peak.memory_bytes,
            scratch_bytes=self.peak.scratch_bytes,
            reads=reads,
            writes=writes,
            downloaded_bytes=self.tally.downloaded_bytes,
            uploaded_bytes=self.tally.uploaded_bytes,
        )
        return Sample(self.name, self.media_s, use)


@dataclass
class StepMeter:
    """Measures steps one by one, each limited, watched and counted."""

    bucket: MeasuredBucket
    scratch: Path
    """The folder for the files of running steps."""
    media_s: float
    vcpus: float
    function: str
    seen: list[Seen] = field(default_factory=list)

    def measure(self, spec: StepSpec, perform: Callable[[], TimedStep]) -> TimedStep:
        """Perform a step."""
        self.bucket.proxy.label(self.function)
        before = self.bucket.proxy.tallies().get(self.function, Tally())
        with processor_share(self.vcpus), watching_peak(self.scratch) as peak:
            step = perform()
        tally = self.bucket.proxy.tallies().get(self.function, Tally()) - before
        self.bucket.proxy.label("")
        self.seen.append(Seen(self.function, step, media_seconds(spec, self.media_s), self.vcpus, peak, tally))
        return step


@dataclass
class MeteredRun(BucketRun):
    """An encoding job whose steps are measured, each by a function that has just started."""

    meter: StepMeter = field(kw_only=True)

    @override
    def perform_step(self, stage: Stage, spec: StepSpec) -> TimedStep:
        self.restart_function()
        perform = super().perform_step
        return self.meter.measure(spec, lambda: perform(stage, spec))


@dataclass(frozen=True)
class Medium:
    """What is worked on."""

    path: Path
    length_s: float


def measure_encoding(
    bucket: MeasuredBucket, source: Medium, vcpus: float, scratch: Path, **settings: Any
) -> list[Seen]:
    """Perform the job of a source, as one chunk.

    Args:
        bucket: its media.
        source: a video.
        vcpus: of each step.
        scratch: an empty folder.
        settings: of the function, where they differ from the default.
    """
    chunk_s = max(60, int(source.length_s))
    settings |= {"podjobs_chunk_min_s": chunk_s, "podjobs_chunk_max_s": chunk_s, "podjobs_scratch": str(scratch)}
    settings |= {"ffmpeg_nb_threads": max(1, round(vcpus))}
    meter = StepMeter(bucket, scratch, source.length_s, vcpus, "encoding")
    MeteredRun(scratch, bucket.settings(**settings), 1, bucket=bucket, meter=meter).encode(source.path)
    return meter.seen


def measure_transcription(bucket: MeasuredBucket, sound: Medium, vcpus: float, scratch: Path) -> list[Seen]:
    """Perform the transcription of a sound.

    Args:
        bucket: its media.
        sound: an MP3 of English.
        vcpus: of each step.
        scratch: an empty folder.
    """
    bucket.clear()
    bucket.server.client().upload_file(str(sound.path), bucket.server.bucket, f"{PREFIX}/{SOUND}")
    settings = TranscriptionSettings.model_validate(
        {
            "media_root": POD_ROOT,
            "media_url": f"s3://{bucket.server.bucket}/{PREFIX}",
            "podjobs_s3_endpoint": bucket.proxy.url,
            "podjobs_scratch": str(scratch),
            "transcription_model_param": {"WHISPER": {"en": {"model": MODEL}}},
        }
    )
    model = WhisperModels(WhisperOptions(device="cpu", slots=1, threads=max(1, round(vcpus))))
    meter = StepMeter(bucket, scratch, sound.length_s, vcpus, "transcription")
    tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20)
    job = TranscriptionJob(
        id="benchmark", target="1", source=SOUND, captions="temp/captions.vtt", language="en", reply_to=Nobody()
    )
    run = JobRun(job, {"transcription": TranscriptionFunction(model, tools, open_storage(settings), settings)})
    for stage in run.stages():
        for spec in stage.steps:
            meter.measure(spec, lambda: _time_step(run, stage.name, spec))  # noqa: B023 - used at once
    return meter.seen


def _time_step(run: JobRun, stage: str, spec: StepSpec) -> TimedStep:
    with measuring() as cost:
        run.perform_step(spec)
    return TimedStep(stage, spec.id, spec.action, cost)
