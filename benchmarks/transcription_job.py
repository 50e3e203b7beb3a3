"""Drives the real transcription function through a job in a process of its own, warm, and times every step."""

import multiprocessing
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.encoding_job import TimedStep
from benchmarks.measure import Cost, measuring
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.backends.whisper import WhisperModels, WhisperOptions, choose_device
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import StepSpec
from podjobs.contract.ports.pod import VideoTopic
from podjobs.contract.ports.speech import ModelLocation, WindowTranscript
from podjobs.contract.reply_to import Nobody, PodCallback
from podjobs.entry.endpoint import StepHandler
from podjobs.logs import configure_logs
from podjobs.notification.function import NotificationFunction
from podjobs.testing import FakePodApi, JobRun
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.settings import TranscriptionSettings
from support.transcriber import MODEL


@dataclass(frozen=True)
class Way:
    """How a sound is transcribed."""

    concurrency: int
    """Parts at once."""
    threads: int
    """Of each."""
    batched: bool = True
    device: str = "auto"
    model: str = MODEL
    language: str = "en"
    """That is asked for; `auto`: none."""
    topic: VideoTopic | None = None
    """What Pod says about the video; None: nobody is asked."""


@dataclass
class Outcome:
    """The result of a transcription, and its cost."""

    cost: Cost = field(default_factory=Cost)
    """Without the start of the process and the loading of the model: functions are warm."""
    steps: list[TimedStep] = field(default_factory=list)
    webvtt: str = ""
    log: list[str] = field(default_factory=list)
    memory_bytes: int = 0
    """The most that was resident, the model and the interpreter included; ffmpeg's not."""


class OneByOne(WhisperModels):
    """Transcribes one window after another, with the sequential algorithm."""

    def transcribe(  # noqa: PLR0913 - what windows are transcribed with, by name
        self,
        location: ModelLocation,
        windows: Sequence[bytes],
        language: str,
        *,
        thorough: bool,
        translate: bool = False,
        hotwords: str = "",
    ) -> tuple[WindowTranscript, ...]:
        """Always thorough."""
        del thorough
        return super().transcribe(location, windows, language, thorough=True, translate=translate, hotwords=hotwords)


def transcribe_apart(sound: Path, media: Path, way: Way) -> Outcome:
    """Transcribe a sound in a fresh process.

    Args:
        sound: a file.
        media: a folder for the work; emptied.
        way: how.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(transcribe, sound, media, way).result()


@cache
def _warm_model(batched: bool, options: WhisperOptions) -> WhisperModels:  # noqa: FBT001 - a key
    """The same one for all jobs of a process, as a warm function has it."""
    return WhisperModels(options) if batched else OneByOne(options)


def transcribe(sound: Path, media: Path, way: Way) -> Outcome:
    """Transcribe a sound in this process, step by step, as under the adapter."""
    configure_logs("benchmarks", "WARNING")
    shutil.rmtree(media, ignore_errors=True)
    (media / "videos").mkdir(parents=True)
    source = f"videos/sound{sound.suffix}"
    shutil.copyfile(sound, media / source)
    model = _warm_model(
        way.batched, WhisperOptions(choose_device(way.device), slots=way.concurrency, threads=way.threads)
    )
    model.is_multilingual(ModelLocation(way.model))
    model.speech_probabilities(bytes(32_000))
    run = _Run(media, source, model, way)
    with measuring() as run.outcome.cost:
        run.perform_all()
    run.outcome.memory_bytes = _most_resident_bytes()
    shutil.rmtree(media)
    return run.outcome


def _most_resident_bytes() -> int:
    """The peak of this process since its start; getrusage reports one inherited from the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


class KnowingPod(FakePodApi):
    """It knows what its videos are about."""

    def __init__(self, topic: VideoTopic) -> None:
        super().__init__()
        self._topic = topic

    def video_topic(self, video_id: int) -> VideoTopic:
        """The same of every video; see the port."""
        del video_id
        return self._topic


class _Run:
    """One job from its sound to its captions."""

    def __init__(self, media: Path, source: Key, model: WhisperModels, way: Way) -> None:
        knows_all = model.is_multilingual(ModelLocation(way.model))
        param = {"WHISPER": {"auto" if knows_all else "en": {"model": way.model}}}
        settings = TranscriptionSettings.model_validate(
            {"media_root": str(media), "media_url": media.as_uri(), "transcription_model_param": param}
        )
        tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20)
        function = TranscriptionFunction(model, tools, open_storage(settings), settings)
        job = TranscriptionJob(
            id="benchmark",
            target="1",
            source=source,
            captions="temp/captions.vtt",
            language=way.language,
            reply_to=PodCallback(video_id=1) if way.topic else Nobody(),
        )
        functions: dict[str, StepHandler] = {"transcription": function}
        if way.topic:
            functions["notification"] = NotificationFunction(KnowingPod(way.topic), open_storage(settings))
        self._run = JobRun(job, functions)
        self._media, self._concurrency = media, way.concurrency
        self.outcome = Outcome()

    def perform_all(self) -> None:
        """Perform all stages but the one that notifies."""
        with ThreadPoolExecutor(self._concurrency) as pool:
            for stage in self._run.stages():
                self.outcome.steps += list(pool.map(lambda spec: self._perform(stage.name, spec), stage.steps))  # noqa: B023 - used at once
        self.outcome.log = self._run.log
        self.outcome.webvtt = (self._media / "temp" / "captions.vtt").read_text(encoding="utf-8")

    def _perform(self, stage: str, spec: StepSpec) -> TimedStep:
        with measuring() as cost:
            self._run.perform_step(spec)
        return TimedStep(stage, spec.id, spec.action, cost)
