"""Measures: speed and errors beside the command line, joins, cues, invented text, instances, memory."""

import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import webvtt

from benchmarks.measure import Cost, Target, console, judge, measuring, new_table, run_measured
from benchmarks.transcription.job import TranscriptionRun
from benchmarks.transcription.speech import Lecture, make_lecture, make_wordless
from local.models import found_models
from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.transcription.cues import Cue, find_faults
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.speech import Word

WALL_SHARE = 0.6
COMPUTE_TYPE = "int8"
NEAR_JOIN_S = 2.0
MOST_MIB = 1200
LONG_HOURS = 2
INSTANCES = (1, 2, 4, 8, 16, 32, 64)
NORMAL = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),  # type: ignore[no-untyped-call]  # it has no annotations
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


@dataclass(frozen=True)
class Contender:
    """What came of one way."""

    name: str
    costs: tuple[Cost, ...]
    errors: float
    """Word error rate."""

    @property
    def wall_s(self) -> float:
        """Median."""
        return statistics.median(cost.wall_s for cost in self.costs)

    @property
    def cpu_s(self) -> float:
        """Median."""
        return statistics.median(cost.cpu_s for cost in self.costs)


def run(folder: Path, minutes: int, repeat: int) -> int:
    """Transcribe the same lecture both ways, in turns, and look at what came of it.

    Args:
        folder: where the material is kept and the work is done.
        minutes: length of the lecture.
        repeat: how often each way transcribes it.
    """
    work = folder / "transcription"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    material = folder / "speech"
    lecture, wordless = make_lecture(material, minutes), make_wordless(material, 10)
    cores = os.cpu_count() or 1
    settings = _settings(work)
    ours = TranscriptionRun(work, settings, _warm_model(settings, cores), cores)
    ours.transcribe(make_lecture(material, 1).sound)  # as in a function that has worked before
    theirs_costs, our_costs = [], []
    for _ in range(repeat):
        theirs_costs.append(_run_command_line(lecture.sound, settings, cores, work))
        with measuring() as cost:
            vtt = ours.transcribe(lecture.sound)
        our_costs.append(cost)
    parts_s = [seconds for action, seconds in ours.steps if action == "transcribe"]
    rest_s = sum(seconds for action, seconds in ours.steps if action != "transcribe")
    theirs = Contender("whisper-ctranslate2", tuple(theirs_costs), _errors(lecture, _text_of(work / "theirs.vtt")))
    made = Contender("ours, warm", tuple(our_costs), _errors(lecture, _caption_text(vtt)))
    faults = find_faults(_cues_of(vtt), settings.podjobs_caption_rules)
    at_joins = _count_at_joins(ours, TranscriptionRun(work, _settings(work, in_one_part=True), ours.model, 1), lecture)
    invented = _caption_text(ours.transcribe(wordless))
    memory_mib = _measure_memory(lecture.sound, work, cores)
    _print(theirs, made, minutes * 60)
    one_by_one_s = _one_by_one(work, settings, lecture)
    _print_instances(one_by_one_s, rest_s, minutes * 60, len(parts_s), cores, made.wall_s)
    shutil.rmtree(work)
    for fault in faults[:10]:
        console.print(fault, markup=False)
    share = made.wall_s / theirs.wall_s
    return judge(
        [
            Target(f"wall at most {WALL_SHARE} × the command line's", f"{share:.2f} ×", holds=share <= WALL_SHARE),
            Target(
                "word errors at most the command line's",
                f"{made.errors:.2%} beside {theirs.errors:.2%}",
                holds=made.errors <= theirs.errors,
            ),
            Target("no word lost or doubled at joins", str(at_joins), holds=not at_joins),
            Target("no cue breaks a rule", str(len(faults)), holds=not faults),
            Target("nothing invented in 10 min without speech", f"{len(invented)} characters", holds=not invented),
            Target(
                f"memory with a {LONG_HOURS} h sound at most {MOST_MIB} MiB",
                f"{memory_mib:.0f} MiB",
                holds=memory_mib <= MOST_MIB,
            ),
        ]
    )


def _settings(media: Path, *, in_one_part: bool = False) -> TranscriptionSettings:
    whole = {"podjobs_part_min_s": 1200, "podjobs_part_max_s": 1200, "podjobs_parts_per_sound": 1}
    models = os.environ.get("TRANSCRIPTION_MODEL_PARAM") or found_models("en")
    return TranscriptionSettings.model_validate(
        {"media_root": str(media), "media_url": media.as_uri(), "transcription_model_param": models}
        | {"podjobs_whisper_compute_type": COMPUTE_TYPE}
        | (whole if in_one_part else {})
    )


def _warm_model(settings: TranscriptionSettings, slots: int) -> WhisperModels:
    threads = max(1, settings.processors // slots)
    return WhisperModels(WhisperOptions(device="cpu", compute_type=COMPUTE_TYPE, slots=slots, threads=threads))


def _run_command_line(sound: Path, settings: TranscriptionSettings, threads: int, work: Path) -> Cost:
    argv = [str(Path(sys.executable).with_name("whisper-ctranslate2")), str(sound), "--language", "en"]
    argv += ["--model_directory", settings.models["en"].model, "--device", "cpu", "--compute_type", COMPUTE_TYPE]
    argv += [
        "--threads",
        str(threads),
        "--output_format",
        "vtt",
        "--output_dir",
        str(work / "cli"),
        "--verbose",
        "False",
    ]
    cost = run_measured(argv)
    (work / "cli" / f"{sound.stem}.vtt").replace(work / "theirs.vtt")
    return cost


def _text_of(file: Path) -> str:
    return _caption_text(file.read_text(encoding="utf-8"))


def _caption_text(vtt: str) -> str:
    return " ".join(caption.text.replace("\n", " ") for caption in webvtt.from_string(vtt).captions)


def _cues_of(vtt: str) -> list[Cue]:
    return [
        Cue(start_s=_seconds(caption.start), end_s=_seconds(caption.end), lines=tuple(caption.lines))
        for caption in webvtt.from_string(vtt).captions
    ]


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _errors(lecture: Lecture, heard: str) -> float:
    return float(jiwer.wer(lecture.text, heard, reference_transform=NORMAL, hypothesis_transform=NORMAL))


def _count_at_joins(parts: TranscriptionRun, whole: TranscriptionRun, lecture: Lecture) -> int:
    """Words near cuts that one of the two has and the other has not."""
    parts.transcribe(lecture.sound)
    whole.transcribe(lecture.sound)
    cuts_s = parts.recipe.cuts_s if parts.recipe else ()
    return sum(_differ_near(cut_s, parts.words, whole.words) for cut_s in cuts_s)


def _differ_near(cut_s: float, ones: Sequence[Word], others: Sequence[Word]) -> int:
    near = [
        " ".join(word.text.strip() for word in words if abs(word.start_s - cut_s) <= NEAR_JOIN_S)
        for words in (ones, others)
    ]
    if not all(near):
        return sum(len(text.split()) for text in near)
    measures = jiwer.process_words(near[0], near[1], reference_transform=NORMAL, hypothesis_transform=NORMAL)
    return int(measures.insertions + measures.deletions)


def _one_by_one(work: Path, settings: TranscriptionSettings, lecture: Lecture) -> list[float]:
    """Seconds of each part when it has one processor for itself."""
    alone = TranscriptionRun(work, settings, _warm_model(settings, settings.processors), 1)
    alone.transcribe(lecture.sound)
    return [seconds for action, seconds in alone.steps if action == "transcribe"]


def _measure_memory(sound: Path, work: Path, slots: int) -> float:
    """MiB of a fresh process that plans a long sound and transcribes all of its first parts at once."""
    long = work / "cli" / "long.mp3"
    loops = round(LONG_HOURS * 3600 / _length_s(sound))
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-stream_loop", str(loops), "-i", str(sound), "-c", "copy", str(long)],
        check=True,
    )
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_peak_mib, (long, work, slots))


def _peak_mib(sound: Path, work: Path, slots: int) -> float:
    settings = _settings(work)
    TranscriptionRun(work, settings, _warm_model(settings, slots), slots, parts_wanted=slots).transcribe(sound)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _length_s(sound: Path) -> float:
    argv = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(sound)]
    return float(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def _print(theirs: Contender, made: Contender, length_s: float) -> None:
    table = new_table(f"{length_s / 60:g} min of speech", "way", "wall s", "CPU s", "× real time", "word errors")
    for one in (theirs, made):
        table.add_row(
            one.name, f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}", f"{length_s / one.wall_s:.1f}", f"{one.errors:.2%}"
        )
    console.print(table)


def _print_instances(  # noqa: PLR0913, PLR0917 - the table's numbers
    parts_s: Sequence[float], rest_s: float, length_s: float, parts: int, cores: int, measured_s: float
) -> None:
    table = new_table(
        f"Time to ready, from {parts} parts of one processor each ({cores} at once: {measured_s:.1f} s measured)",
        "instances", "ready after, s", "× real time",
    )  # fmt: skip
    for instances in INSTANCES:
        ready_s = rest_s + _schedule_s(parts_s, instances)
        table.add_row(str(instances), f"{ready_s:.1f}", f"{length_s / ready_s:.0f}")
    console.print(table)


def _schedule_s(parts_s: Sequence[float], instances: int) -> float:
    """When the last part is done, each taken by the instance that is free first."""
    busy_until_s = [0.0] * instances
    for part_s in parts_s:
        first = busy_until_s.index(min(busy_until_s))
        busy_until_s[first] += part_s
    return max(busy_until_s)
