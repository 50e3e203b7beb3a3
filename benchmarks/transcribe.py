"""Captions of synthetic speech: the real function with a warm model against the command line whisper-ctranslate2.

Both have the same model, the same compute type and all cores. The command line gets a second chance with its own
batches, which are not its default; the targets are set against the default.
"""

import multiprocessing
import shutil
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Cost, Target, console, judge, new_table, run_measured
from benchmarks.memory import watching_memory
from benchmarks.scale import INSTANCES, StageCost, measured_overhead_ms
from benchmarks.speech import Speech, make_speech, make_wordless, repeat_speech
from benchmarks.transcript import faults_at_joins, read_cues, text_of, word_error_rate
from benchmarks.transcription_job import COMPUTE_TYPE, MODEL, TranscriptionRun, cores, load_model
from podjobs.logs import configure_logs
from podjobs.transcription.cues import CueRules, find_faults

WALL_SHARE = 0.6
MEMORY_GB = 1.2
LONG_S = 7200
MOST_INSTANCES = 64
WORDLESS_MINUTES = 10
WHOLE = {"podjobs_part_min_s": 1200, "podjobs_part_max_s": 1200}
"""The fewest cuts there can be."""
OURS, COMMAND, BATCHED = "ours", "whisper-ctranslate2", "… --batched True"


@dataclass
class Contender:
    """What one way took and wrote."""

    costs: list[Cost] = field(default_factory=list)
    vtt: str = ""

    @property
    def wall_s(self) -> float:
        """The median."""
        return statistics.median(cost.wall_s for cost in self.costs)

    @property
    def cpu_s(self) -> float:
        """The median."""
        return statistics.median(cost.cpu_s for cost in self.costs)


@dataclass(frozen=True)
class Measured:
    """All that the targets are about."""

    contenders: Mapping[str, Contender]
    error_rates: Mapping[str, float]
    joins: int
    """Cuts."""
    join_faults: Sequence[str]
    cue_faults: Sequence[str]
    invented: Mapping[str, str]
    """What was written down where nobody speaks."""
    memory_bytes: Mapping[int, int]
    """Of an instance, by the parts it has in hand."""


def run(folder: Path, minutes: int, repeat: int) -> int:
    """Transcribe the same speech both ways.

    Args:
        folder: where to work.
        minutes: length of the speech.
        repeat: how often each contender transcribes it.
    """
    speech, work = make_speech(folder, minutes), folder / "transcribe"
    wordless = make_wordless(folder, WORDLESS_MINUTES)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    console.print(f"{minutes} min, {len(speech.sentences)} sentences; {cores()} cores; tiny.en, {COMPUTE_TYPE}.")
    ours = TranscriptionRun(work / "media", load_model(cores(), 1), cores())
    ours.transcribe(wordless)
    invented = {OURS: text_of(ours.captions)}
    ours.transcribe(speech.path)  # the warm-up
    contenders = _take_turns(work, speech, ours, repeat)
    cuts_s = ours.recipe.cuts_s
    invented[COMMAND] = text_of(_run_command(work, wordless)[1])
    whole = TranscriptionRun(ours.media, ours.model, cores(), WHOLE)
    whole.transcribe(speech.path)
    whole_vtt = whole.captions
    alone = _compare_parts_in_flight(work, speech, minutes, contenders[OURS].wall_s)
    _print_times(alone, minutes, measured_overhead_ms(folder) / 1000)
    measured = Measured(
        contenders=contenders,
        error_rates={name: word_error_rate(speech, one.vtt) for name, one in contenders.items()},
        joins=len(cuts_s),
        join_faults=faults_at_joins(speech, contenders[OURS].vtt, whole_vtt, cuts_s),
        cue_faults=find_faults(read_cues(contenders[OURS].vtt), CueRules()),
        invented=invented,
        memory_bytes=_measure_memory(work, repeat_speech(speech.path, LONG_S)),
    )
    shutil.rmtree(work)
    _print(measured, minutes, word_error_rate(speech, whole_vtt))
    return judge(_targets(measured))


def _take_turns(work: Path, speech: Speech, ours: TranscriptionRun, repeat: int) -> dict[str, Contender]:
    contenders = {name: Contender() for name in (COMMAND, BATCHED, OURS)}
    for number in range(repeat):
        for name, more in ((COMMAND, ()), (BATCHED, ("--batched", "True"))):
            cost, contenders[name].vtt = _run_command(work, speech.path, *more)
            contenders[name].costs.append(cost)
        contenders[OURS].costs.append(ours.transcribe(speech.path))
        contenders[OURS].vtt = ours.captions
        walls = ", ".join(f"{name} {one.costs[-1].wall_s:.1f} s" for name, one in contenders.items())
        console.print(f"[dim]round {number + 1}: {walls}[/]")
    return contenders


def _run_command(work: Path, sound: Path, *more: str) -> tuple[Cost, str]:
    """Transcribe by the command line; its cost and its WebVTT."""
    argv = ["whisper-ctranslate2", "--model_directory", MODEL, "--device", "cpu", "--compute_type", COMPUTE_TYPE]
    argv += ["--threads", str(cores()), "--language", "en", "--output_format", "vtt", "--output_dir", str(work)]
    cost = run_measured([*argv, *more, str(sound)])
    return cost, (work / f"{sound.stem}.vtt").read_text(encoding="utf-8")


def _compare_parts_in_flight(work: Path, speech: Speech, minutes: int, all_cores_s: float) -> tuple[StageCost, ...]:
    """Print what it is good for to do several parts at once; gives the steps' costs on one core."""
    table = new_table("Parts in flight", "parts at once", "threads each", "wall s", "× real time")
    alone = TranscriptionRun(work / "media", load_model(1, 1), 1)
    rows = [(1, 1, alone.transcribe(speech.path).wall_s)]
    if cores() > 1:
        wide = TranscriptionRun(work / "media", load_model(1, cores()), 1)
        rows.append((1, cores(), wide.transcribe(speech.path).wall_s))
        rows.append((cores(), 1, all_cores_s))
    for parts, threads, wall_s in rows:
        table.add_row(str(parts), str(threads), f"{wall_s:.1f}", f"{minutes * 60 / wall_s:.1f}")
    console.print(table)
    names = dict.fromkeys(step.stage for step in alone.steps)
    return tuple(StageCost(name, tuple(step for step in alone.steps if step.stage == name)) for name in names)


def _print_times(stages: Sequence[StageCost], minutes: int, overhead_s: float) -> None:
    title = f"Time to ready of {minutes} min of speech, {overhead_s * 1000:.1f} ms a step for the adapter"
    table = new_table(
        title, "instances", "ready after, s", "× real time", "speed-up", *(f"{stage.name}, s" for stage in stages)
    )
    alone_s = sum(stage.duration_s(1, overhead_s) for stage in stages)
    for instances in (number for number in INSTANCES if number <= MOST_INSTANCES):
        times_s = [stage.duration_s(instances, overhead_s) for stage in stages]
        total_s = sum(times_s)
        table.add_row(
            str(instances),
            f"{total_s:.1f}",
            f"{minutes * 60 / total_s:.1f}",
            f"{alone_s / total_s:.1f}",
            *(f"{time_s:.2f}" for time_s in times_s),
        )
    console.print(table)


def _measure_memory(work: Path, sound: Path) -> dict[int, int]:
    """Plan a long sound and do parts of it, each time in a new process; bytes by the parts done at once."""
    found = {}
    for parts in sorted({1, cores()}):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            found[parts] = pool.submit(_peak_memory_bytes, work / "media", sound, parts).result()
    return found


def _peak_memory_bytes(media: Path, sound: Path, parts: int) -> int:
    configure_logs("benchmarks", "WARNING")
    with watching_memory() as peak:
        job = TranscriptionRun(media, load_model(parts, 1), parts)
        stage = job.plan(sound)[0]
        job.perform(stage.name, stage.steps[:parts])
    return peak.held_bytes


def _print(measured: Measured, minutes: int, whole_error_rate: float) -> None:
    columns = ("way", "wall s", "CPU s", "× real time", "WER", "invented, characters")
    table = new_table(f"{minutes} min of speech", *columns)
    for name, one in measured.contenders.items():
        table.add_row(
            name,
            f"{one.wall_s:.1f}",
            f"{one.cpu_s:.1f}",
            f"{minutes * 60 / one.wall_s:.1f}",
            f"{measured.error_rates[name]:.2%}",
            str(len(measured.invented[name])) if name in measured.invented else "–",
        )
    console.print(table)
    console.print(f"Ours in parts of 20 min: WER {whole_error_rate:.2%}.")
    for parts, held_bytes in measured.memory_bytes.items():
        console.print(f"Memory with {LONG_S // 3600} h of sound, {parts} part(s) at once: {held_bytes / 1e9:.2f} GB.")
    for fault in (*measured.join_faults, *measured.cue_faults):
        console.print(f"[red]{fault}[/]")
    for name, text in measured.invented.items():
        if text:
            console.print(f"Invented by {name}: {text[:200]!r}", style="dim", markup=False, highlight=False)


def _targets(measured: Measured) -> list[Target]:
    ours, command = measured.contenders[OURS], measured.contenders[COMMAND]
    share = ours.wall_s / command.wall_s
    our_rate, command_rate = measured.error_rates[OURS], measured.error_rates[COMMAND]
    invented = len(measured.invented[OURS])
    memory_gb = measured.memory_bytes[1] / 1e9
    return [
        Target(f"wall at most {WALL_SHARE} × {COMMAND}'s", f"{share:.2f} ×", holds=share <= WALL_SHARE),
        Target("WER not above its", f"{our_rate:.2%} and {command_rate:.2%}", holds=our_rate <= command_rate),
        Target(
            f"no word lost or doubled at {measured.joins} joins",
            str(len(measured.join_faults)),
            holds=not measured.join_faults,
        ),
        Target("no cue breaks a rule", str(len(measured.cue_faults)), holds=not measured.cue_faults),
        Target(
            f"nothing invented in {WORDLESS_MINUTES} min without words", f"{invented} characters", holds=not invented
        ),
        Target(
            f"memory at most {MEMORY_GB} GB with {LONG_S // 3600} h of sound",
            f"{memory_gb:.2f} GB",
            holds=memory_gb <= MEMORY_GB,
        ),
    ]
