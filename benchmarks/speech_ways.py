"""The ways in which recordings are transcribed: ours, the command whisper-ctranslate2, and plain faster-whisper."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import faster_whisper

from benchmarks.measure import measuring, run_measured
from benchmarks.transcription_job import Way, transcribe
from podjobs.backends.whisper import choose_device
from support.captions import text_of
from support.real_speech.corpus import SEVERAL, Recording
from support.real_speech.names import topic_of

COMMAND = "whisper-ctranslate2"


@dataclass(frozen=True)
class Heard:
    """What was made of a recording."""

    recording: Recording
    text: str
    wall_s: float
    log: tuple[str, ...] = ()
    """The job's; only ours has one."""


@dataclass(frozen=True)
class Tools:
    """What all ways use alike."""

    model: str
    """A folder with a CTranslate2 model."""
    device: str
    """`cpu` or `cuda`."""
    work: Path
    """A folder for the work; emptied."""
    names: bool = False
    """Whether ours is told of names that may be said."""

    @property
    def numbers(self) -> str:
        """The compute type: the same for all ways."""
        return "float16" if self.device == "cuda" else "int8"


def by_ours(recordings: Sequence[Recording], tools: Tools) -> Iterator[Heard]:
    """By the function, part by part, as the adapter has it done; warm."""
    for recording in recordings:
        cores = len(os.sched_getaffinity(0))
        way = Way(
            cores, 1, device=choose_device(tools.device), model=tools.model, language=recording.language,
            topic=topic_of(recording.language) if tools.names else None,
        )  # fmt: skip
        outcome = transcribe(recording.path, tools.work / "media", way)
        yield Heard(recording, text_of(outcome.webvtt), outcome.cost.wall_s, tuple(outcome.log))


def by_command(recordings: Sequence[Recording], tools: Tools) -> Iterator[Heard]:
    """By one command for all recordings of a language; its time is shared out by their lengths."""
    shutil.rmtree(tools.work, ignore_errors=True)
    for language, group in groupby(sorted(recordings, key=_language), key=_language):
        chosen = list(group)
        argv = [COMMAND, "--model_directory", tools.model, "--device", tools.device, "--compute_type", tools.numbers]
        argv += [] if language == SEVERAL else ["--language", language]
        argv += ["--threads", str(len(os.sched_getaffinity(0))), "--output_format", "txt", "--verbose", "False"]
        cost = run_measured([*argv, "--output_dir", str(tools.work), *(str(one.path) for one in chosen)])
        for one in chosen:
            text = (tools.work / one.path.with_suffix(".txt").name).read_text(encoding="utf-8")
            yield Heard(one, text, cost.wall_s * one.length_s / sum(other.length_s for other in chosen))


def by_faster_whisper(recordings: Sequence[Recording], tools: Tools) -> Iterator[Heard]:
    """By faster-whisper as its manual says, with its own filter of what is not speech."""
    model = faster_whisper.WhisperModel(
        tools.model, tools.device, compute_type=tools.numbers, cpu_threads=len(os.sched_getaffinity(0))
    )
    for recording in recordings:
        language = None if recording.language == SEVERAL else recording.language
        with measuring() as cost:
            segments, _ = model.transcribe(str(recording.path), language=language, beam_size=5, vad_filter=True)
            text = " ".join(segment.text.strip() for segment in segments)
        yield Heard(recording, text, cost.wall_s)


def _language(recording: Recording) -> str:
    return recording.language
