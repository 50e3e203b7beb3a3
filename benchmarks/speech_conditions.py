"""Transcription under the conditions in which speech is really recorded: word errors of three ways, and words lost.

The same model, kind of numbers, beam and processors; the recordings are made once, see tests/support/real_speech.
"""

import multiprocessing
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Target, console, judge, new_table
from benchmarks.speech_ways import COMMAND, Heard, Tools, by_command, by_faster_whisper, by_ours
from podjobs.backends.whisper import WhisperModels, WhisperOptions, choose_device
from podjobs.contract.ports.speech import ModelLocation
from support.real_speech.corpus import CONDITIONS, FULL, QUICK, WITH_NAMES, Recording, make_corpus
from support.real_speech.losses import Comparison, compare
from support.real_speech.names import DECOYS, NAMES, count_names

OURS, PLAIN = "ours", "faster-whisper"
WAYS: dict[str, Callable[[Sequence[Recording], Tools], Iterator[Heard]]] = {
    OURS: by_ours,
    COMMAND: by_command,
    PLAIN: by_faster_whisper,
}
SLACK = 0.01
"""Of the words: so much more errors than the better of the others are allowed in a condition."""


@dataclass(frozen=True)
class Wishes:
    """What is measured, and how."""

    model: str
    device: str
    conditions: Sequence[str]
    quick: bool
    ways: Sequence[str]
    names: bool
    """Whether ours is told of names: of those that are said in the condition `names`, and of some that nobody says."""


@dataclass(frozen=True)
class Score:
    """Of one way under one condition, in all languages."""

    comparisons: tuple[Comparison, ...]
    wall_s: float

    @property
    def error_rate(self) -> float:
        """Of all words that were said."""
        return self.count("errors") / max(1, self.count("words"))

    def count(self, what: str) -> int:
        """The sum of a number of the comparisons."""
        return sum(getattr(comparison, what) for comparison in self.comparisons)

    @property
    def lost_sentences(self) -> int:
        """How many."""
        return sum(len(comparison.lost_sentences) for comparison in self.comparisons)


Scores = dict[str, dict[str, Score]]
"""By way and condition."""


def run(folder: Path, wishes: Wishes) -> int:
    """Transcribe the recordings in each way, and compare.

    Args:
        folder: where the recordings are kept, and the transcripts left.
        wishes: what is measured.
    """
    conditions = [name for name in CONDITIONS if not {"all", name}.isdisjoint(wishes.conditions or {"all"})]
    recordings = _understood(make_corpus(folder / "real-speech", QUICK if wishes.quick else FULL, conditions), wishes)
    minutes = sum(recording.length_s for recording in recordings) / 60
    console.print(f"{len(recordings)} recordings, {minutes:.1f} minutes; transcripts will be in {folder}/transcripts.")
    scores: Scores = {}
    for way in wishes.ways or WAYS:
        heard = _transcribe_apart(way, recordings, wishes, folder / "transcribe")
        scores[way] = _score(heard)
        _keep(heard, folder / "transcripts" / way)
        _print_names(heard)
        console.print(f"{way}: {minutes * 60 / sum(one.wall_s for one in heard):.1f} × real time")
    _print_table(conditions, scores)
    return judge(_targets(scores))


def _understood(recordings: Iterable[Recording], wishes: Wishes) -> list[Recording]:
    """All, or only those in English for a model that knows nothing else."""
    model = WhisperModels(WhisperOptions(choose_device(wishes.device)))
    every = model.is_multilingual(ModelLocation(wishes.model))
    return [recording for recording in recordings if every or recording.language == "en"]


def _transcribe_apart(way: str, recordings: Sequence[Recording], wishes: Wishes, work: Path) -> list[Heard]:
    """In a process of its own, so that no way finds memory or threads of another."""
    tools = Tools(wishes.model, choose_device(wishes.device), work, wishes.names)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_transcribe, way, recordings, tools).result()


def _transcribe(way: str, recordings: Sequence[Recording], tools: Tools) -> list[Heard]:
    return list(WAYS[way](recordings, tools))


def _score(heard: Iterable[Heard]) -> dict[str, Score]:
    found: dict[str, list[Heard]] = {}
    for one in heard:
        found.setdefault(one.recording.condition, []).append(one)
    return {
        condition: Score(
            tuple(compare(one.recording.sentences, one.text, one.recording.language, one.log) for one in several),
            sum(one.wall_s for one in several),
        )
        for condition, several in found.items()
    }


def _keep(heard: Iterable[Heard], folder: Path) -> None:
    """Leave for each recording what was heard and what was lost, to be read."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for one in heard:
        recording = one.recording
        compared = compare(recording.sentences, one.text, recording.language, one.log)
        lost = (f"{said.start_s:.1f} s to {said.end_s:.1f} s: {said.text}" for said in compared.lost_sentences)
        lines = ("SAID", recording.text, "HEARD", one.text, "LOST", *lost, "LOG", *one.log)
        (folder / f"{recording.name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _print_names(heard: Iterable[Heard]) -> None:
    """Tell how often names are written as they are to be, and how often names that nobody said."""
    for one in heard:
        invented = count_names(one.text, DECOYS)
        if one.recording.condition == WITH_NAMES:
            names = NAMES[one.recording.language]
            right, said = count_names(one.text, names), count_names(one.recording.text, names)
            console.print(f"{one.recording.name}: {right} of {said} names are right, {invented} were invented.")
        elif invented:
            console.print(f"{one.recording.name}: {invented} names were invented.")


def _print_table(conditions: Sequence[str], scores: Scores) -> None:
    columns = ("condition", "words", *(f"{way}, WER" for way in scores), "sentences lost", "words lost", "untold")
    table = new_table("Word errors by condition; sentences and words lost by ours, and those no log tells of", *columns)
    first = next(iter(scores.values()))
    for condition in conditions:
        if condition not in first:
            continue
        shown = scores.get(OURS, first)[condition]
        table.add_row(
            condition,
            str(shown.count("words")),
            *(f"{by_condition[condition].error_rate:.1%}" for by_condition in scores.values()),
            *map(str, (shown.lost_sentences, shown.count("lost"), shown.count("untold"))),
        )
    table.add_section()
    totals = [_total(by_condition.values()) for by_condition in scores.values()]
    shown = _total(scores[OURS].values()) if OURS in scores else totals[0]
    rates = (f"{total.error_rate:.1%}" for total in totals)
    counts = (shown.lost_sentences, shown.count("lost"), shown.count("untold"))
    table.add_row("all", str(shown.count("words")), *rates, *map(str, counts))
    console.print(table)


def _total(scores: Iterable[Score]) -> Score:
    every = list(scores)
    return Score(tuple(one for score in every for one in score.comparisons), sum(score.wall_s for score in every))


def _targets(scores: Scores) -> list[Target]:
    if OURS not in scores:
        return []
    ours = scores[OURS]
    targets = []
    others = [scores[way] for way in scores if way != OURS]
    if others:
        worse = {
            condition: score.error_rate - min(other[condition].error_rate for other in others)
            for condition, score in ours.items()
        }
        over = {condition: excess for condition, excess in worse.items() if excess > SLACK}
        measured = ", ".join(f"{condition} {excess:+.1%}" for condition, excess in over.items()) or "in none"
        promise = "word errors at most those of the better one of the others, but for 1 point, in every condition"
        targets.append(Target(promise, measured, holds=not over))
    untold = sum(score.count("untold") for score in ours.values())
    targets.append(Target("no words lost without a sentence in the log", str(untold), holds=not untold))
    if after := ours.get("after-music"):
        lost = after.lost_sentences
        targets.append(Target("no sentences lost after music", str(lost), holds=not lost))
    return targets
