"""Transcription against the command line of whisper-ctranslate2: time, errors and memory side by side.

The same model, kind of numbers and processors. Ours is measured warm, as functions are; the command starts and loads
its model each time, as a command does.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Cost, Target, console, judge, median, new_table, run_measured
from benchmarks.scale import INSTANCES, StageCost
from benchmarks.transcription_job import Outcome, Way, transcribe_apart
from podjobs.backends.whisper import choose_device
from support.captions import text_of
from support.lecture import Lecture, make_lecture
from support.speech import error_rate
from support.transcriber import MODEL

COMMAND = "whisper-ctranslate2"
WALL_FACTOR = 0.6
MEMORY_BYTES = 1_200_000_000
STEP_OVERHEAD_S = 0.015
"""The adapter's, by its own target."""
MOST_INSTANCES = 64


def run(folder: Path, minutes: int, device: str, repeat: int, model: str = MODEL) -> int:
    """Let the command and the function transcribe the same lecture.

    Args:
        folder: where to work.
        minutes: length of the lecture.
        device: where models run.
        repeat: how often each way does it; they take turns, and the run with the median wall time stands for a way.
        model: a folder with a CTranslate2 model.
    """
    device = choose_device(device)
    cores = len(os.sched_getaffinity(0))
    lecture = make_lecture(folder / "speech", minutes)
    work = folder / "transcribe"
    shutil.rmtree(work, ignore_errors=True)
    ways = {
        "ours, one part at a time": Way(1, 1, device=device, model=model),
        "ours, one part per processor": Way(cores, 1, device=device, model=model),
        "ours, windows one by one": Way(cores, 1, batched=False, device=device, model=model),
    }
    commands, outcomes = [], []
    for turn in range(1, repeat + 1):
        console.print(f"turn {turn} of {repeat}")
        commands.append(_run_command(lecture, work, device, model))
        outcomes.append({name: transcribe_apart(lecture.path, work / "media", way) for name, way in ways.items()})
    command_cost, command_text = median(commands, key=lambda command: command[0].wall_s)
    made = {name: median([turn[name] for turn in outcomes], key=lambda made: made.cost.wall_s) for name in ways}
    shutil.rmtree(work, ignore_errors=True)
    error_rates = {name: error_rate(lecture.text, text_of(outcome.webvtt)) for name, outcome in made.items()}
    error_rates[COMMAND] = error_rate(lecture.text, command_text)
    _print_costs(lecture, command_cost, made, error_rates)
    _print_times(made["ours, one part at a time"], lecture)
    return judge(_targets(command_cost, made["ours, one part per processor"], error_rates))


def _run_command(lecture: Lecture, work: Path, device: str, model: str) -> tuple[Cost, str]:
    """The whole command: start, model, transcription."""
    numbers = "float16" if device == "cuda" else "int8"
    argv = [COMMAND, "--model_directory", model, "--language", "en", "--device", device, "--compute_type", numbers]
    argv += [
        "--threads",
        str(len(os.sched_getaffinity(0))),
        "--word_timestamps",
        "True",
        "--output_format",
        "txt",
        "--verbose",
        "False",
    ]
    cost = run_measured([*argv, "--output_dir", str(work), str(lecture.path)])
    return cost, (work / lecture.path.with_suffix(".txt").name).read_text(encoding="utf-8")


def _print_costs(lecture: Lecture, command: Cost, made: dict[str, Outcome], error_rates: dict[str, float]) -> None:
    columns = ("way", "wall s", "CPU s", "× real time", "WER", "memory, MiB")
    table = new_table(f"{lecture.length_s:.0f} s of sound", *columns)
    table.add_row(
        COMMAND, f"{command.wall_s:.1f}", f"{command.cpu_s:.1f}", f"{lecture.length_s / command.wall_s:.1f}",
        f"{error_rates[COMMAND]:.2%}", "",
    )  # fmt: skip
    for name, outcome in made.items():
        table.add_row(
            name,
            f"{outcome.cost.wall_s:.1f}",
            f"{outcome.cost.cpu_s:.1f}",
            f"{lecture.length_s / outcome.cost.wall_s:.1f}",
            f"{error_rates[name]:.2%}",
            f"{outcome.memory_bytes / 2**20:.0f}",
        )
    console.print(table)


def _print_times(outcome: Outcome, lecture: Lecture) -> None:
    """Schedule the steps, each measured alone on one processor, on more and more instances."""
    names = dict.fromkeys(step.stage for step in outcome.steps)
    stages = [StageCost(name, tuple(step for step in outcome.steps if step.stage == name)) for name in names]
    columns = ("instances", "ready after, s", "× real time", *(f"{stage.name}, s" for stage in stages))
    table = new_table("Computed time to ready, one processor an instance", *columns)
    for instances in (count for count in INSTANCES if count <= MOST_INSTANCES):
        times_s = [stage.duration_s(instances, STEP_OVERHEAD_S) for stage in stages]
        table.add_row(
            str(instances),
            f"{sum(times_s):.1f}",
            f"{lecture.length_s / sum(times_s):.0f}",
            *(f"{time_s:.2f}" for time_s in times_s),
        )
    console.print(table)


def _targets(command: Cost, best: Outcome, error_rates: dict[str, float]) -> Sequence[Target]:
    factor = best.cost.wall_s / command.wall_s
    ours, theirs = error_rates["ours, one part per processor"], error_rates[COMMAND]
    memory = f"{best.memory_bytes / 1e9:.2f} GB"
    return [
        Target(f"wall at most {WALL_FACTOR} × the command's", f"{factor:.2f}", holds=factor <= WALL_FACTOR),
        Target("WER not above the command's", f"{ours:.2%} and {theirs:.2%}", holds=ours <= theirs),
        Target(f"memory at most {MEMORY_BYTES / 1e9:.1f} GB", memory, holds=best.memory_bytes <= MEMORY_BYTES),
    ]
