"""Lectures of any length and known text, with pauses, noise, music, tones and clapping between the sentences.

Spoken by flite, so that everybody measures with the same words. Kept, and made once.
"""

import json
import random
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from support.speech import RATE_HZ, speak

SEED = 4
Samples = npt.NDArray[np.float32]
"""(n_samples,), mono, 16 kHz, in [−1, 1]."""

SENTENCES = (
    "Good morning and welcome to this course on the history of measurement.",
    "Today we look at how people learned to agree about length, weight and time.",
    "In the old markets every town had its own foot and its own pound.",
    "A merchant who traveled for three days could meet five different yards on his way.",
    "The first attempt at a common measure came from the builders of cathedrals.",
    "They carved the length of their rod into the stone beside the main door.",
    "Anyone who doubted the honesty of a seller could walk over and compare.",
    "Why did it take so long before the whole country used the same unit?",
    "The answer has less to do with science than with taxes.",
    "A lord who was paid in grain preferred a large basket when he received it.",
    "The same lord liked a small basket when he had to give something back.",
    "A committee in Paris proposed a new unit, and nobody liked it at first.",
    "It was meant to be a part of the distance from the pole to the equator.",
    "Two astronomers spent seven years measuring the line between the sea and the mountains.",
    "One of them made a small error and kept it secret for the rest of his life.",
    "Please remember that an error is not the same thing as a mistake.",
    "Every measurement has an uncertainty, and a good scientist writes it down.",
    "Let us now turn to the measurement of time.",
    "Sailors needed a clock that did not care about storms, salt or temperature.",
    "There was a prize for solving this problem, and many people tried to win it.",
    "A carpenter from a small village built four clocks, one better than the other.",
    "His last clock lost only a few seconds during a voyage of several months.",
    "The railway brought the next great change, because trains need a common time.",
    "Before the railway came, each city set its clocks by the sun.",
    "When it was noon in one town it was already later in the next.",
    "Today a good clock would lose one second in the life of a planet.",
    "Satellites carry such clocks, and your telephone listens to them.",
    "If the clocks were not right, you would not find the street that you are looking for.",
    "I would like you to read the second chapter of the book for next week.",
    "Are there any questions before we take a short break?",
)
WHO = (
    "The old carpenter", "A young teacher", "My neighbor", "The captain of the ship", "Our first guest",
    "The doctor from the valley", "A group of students", "The mayor", "Her older brother", "The owner of the shop",
    "A famous painter", "The man with the hat", "Every farmer", "The second engineer", "A quiet librarian",
    "The king's cook", "Nobody in the village", "One of the sailors", "The woman at the window", "This small company",
)  # fmt: skip
DID = (
    "described", "repaired", "painted", "forgot", "remembered", "bought", "sold", "measured", "admired", "followed",
    "carried", "discovered", "explained", "borrowed", "returned", "protected", "watched", "collected", "studied",
    "lost",
)  # fmt: skip
WHAT = (
    "a wooden bridge", "the last letter", "a map of the coast", "the broken engine", "a basket of apples",
    "the empty house", "a very long story", "the silver coins", "a machine for grain", "the garden behind the church",
    "a book about birds", "the plans for the tower", "a pair of glasses", "the road to the harbor", "a box of candles",
    "the answer to that question", "a small orchestra", "the water in the well", "a collection of stones",
    "the first photograph",
)  # fmt: skip
WHEN = (
    "before the winter came", "on the way to the station", "without a single word", "in the middle of the night",
    "after a long discussion", "because the weather was bad", "for the third time", "and then went home",
    "while the children were sleeping", "in front of everybody", "with the help of a friend", "during the holidays",
    "although it was forbidden", "as soon as the music stopped", "and nobody knew why", "at the end of the summer",
    "until the money was gone", "under a tree by the river", "in less than an hour", "to everybody's surprise",
)  # fmt: skip


@dataclass(frozen=True)
class Lecture:
    """A sound, and what is said in it."""

    path: Path
    """A VBR MP3, as Pod has one."""
    text: str
    length_s: float


def make_lecture(folder: Path, minutes: int) -> Lecture:
    """Make a lecture that says nothing twice, or find the one that was made before.

    A sentence that came before helps a model that knows what was said before, as it would not in a real lecture.

    Args:
        folder: where sounds are kept.
        minutes: at least so long.
    """
    path = folder / f"speech-{minutes}min.mp3"
    facts = path.with_suffix(".json")
    if not facts.exists():
        folder.mkdir(parents=True, exist_ok=True)
        samples, text = _compose(folder / "sentences", minutes * 60)
        _write_mp3(samples, path)
        facts.write_text(json.dumps({"text": text, "length_s": samples.size / RATE_HZ}), encoding="utf-8")
    return Lecture(path, **json.loads(facts.read_text(encoding="utf-8")))


def _speak(path: Path, text: str) -> Samples:
    words = path.with_suffix(".txt")
    if not path.exists() or words.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        speak(path, text)
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return samples.astype(np.float32) / np.float32(32768)


def _compose(folder: Path, length_s: float) -> tuple[Samples, str]:
    """A few sentences, then something else, again and again; a breath of room noise over all."""
    chance, noise = random.Random(SEED), np.random.default_rng(SEED)
    pieces: list[Samples] = []
    said: list[str] = []
    sentences = _sentences(chance)
    while sum(piece.size for piece in pieces) < length_s * RATE_HZ:
        for _ in range(chance.randint(4, 9)):
            said.append(next(sentences))
            spoken = _speak(folder / f"{len(said):04d}.wav", said[-1])
            pieces += [spoken, _silence(chance.uniform(0.3, 0.9), noise)]
        pieces.append(chance.choice(BACKGROUNDS)(chance.uniform(2, 8), noise))
    samples = np.concatenate(pieces)
    return samples + noise.normal(0, 0.001, samples.size).astype(np.float32), " ".join(said)


def _sentences(chance: random.Random) -> Iterator[str]:
    """Sentences without an end, each other than all before."""
    yield from chance.sample(SENTENCES, len(SENTENCES))
    parts = [(who, did, what, when) for who in WHO for did in DID for what in WHAT for when in WHEN]
    for who, did, what, when in chance.sample(parts, len(parts)):
        yield f"{who} {did} {what} {when}."


def _silence(length_s: float, _noise: np.random.Generator) -> Samples:
    return np.zeros(round(length_s * RATE_HZ), np.float32)


def _white(length_s: float, noise: np.random.Generator) -> Samples:
    return noise.normal(0, 0.03, round(length_s * RATE_HZ)).astype(np.float32)


def _tone(length_s: float, _noise: np.random.Generator) -> Samples:
    times = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)


def music(length_s: float, noise: np.random.Generator) -> Samples:
    """Chords that change every half second, struck and fading."""
    times = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    notes = noise.integers(0, 12, (int(length_s * 2) + 1, 3))
    pitch = 196 * 2 ** (notes[(times * 2).astype(int)] / 12)
    chord = np.sin(2 * np.pi * pitch * times[:, None]).sum(axis=1)
    struck: Samples = (0.08 * chord * (0.3 + 0.7 * np.exp(-4 * (times % 0.5)))).astype(np.float32)
    return struck


def _applause(length_s: float, noise: np.random.Generator) -> Samples:
    """Many short claps at chance times."""
    samples = np.zeros(round(length_s * RATE_HZ), np.float32)
    clap = np.exp(-np.arange(480) / 90)
    for start in noise.integers(0, max(1, samples.size - clap.size), round(length_s * 60)):
        samples[start : start + clap.size] += (0.3 * noise.normal(0, 1, clap.size) * clap).astype(np.float32)
    clipped: Samples = np.clip(samples, -1, 1)
    return clipped


BACKGROUNDS = (_silence, _white, music, _tone, _applause)


def _write_mp3(samples: Samples, path: Path) -> None:
    partial = path.with_suffix(".partial.mp3")
    argv = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-"]
    argv += ["-ar", "44100", "-c:a", "libmp3lame", "-q:a", "2", str(partial)]
    subprocess.run(argv, input=samples.astype("<f4").tobytes(), check=True)
    partial.replace(path)
