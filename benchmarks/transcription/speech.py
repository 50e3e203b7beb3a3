"""Speech of known text: sentences drawn from a small grammar, spoken by flite, with pauses, music beds and noise."""

import random
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HZ = 16_000
Samples = NDArray[np.float32]
"""(n_samples,), mono, 16 kHz, in [-1, 1]."""
SUBJECTS = (
    "the professor", "a young student", "the library", "every experiment", "the history of science", "our department",
    "the old machine", "a good question", "the second chapter", "the river", "an engineer", "the committee",
)  # fmt: skip
VERBS = (
    "explains", "changes", "describes", "follows", "supports", "discovers", "measures", "remembers", "replaces",
    "improves", "questions", "protects",
)  # fmt: skip
OBJECTS = (
    "the shape of the universe", "a simple method", "the language of the region", "the results of last winter",
    "the structure of the network", "a very different idea", "the quality of the water", "the memory of the computer",
    "the price of energy", "the colour of the sky", "the work of many people", "a long series of letters",
)  # fmt: skip
ENDINGS = (
    "in the morning", "without any doubt", "for the first time", "as we will see later", "in a large city",
    "with great care", "because the weather is cold", "when the lecture is over", "near the border", "once again",
)  # fmt: skip
SENTENCES_IN_A_PARAGRAPH = (2, 6)
MUSIC_SHARE, NOISE_SHARE = 0.3, 0.3
BED_LEVEL, NOISE_LEVEL = 0.02, 0.01
CHORD_HZ = (220.0, 277.2, 329.6)


@dataclass(frozen=True)
class Lecture:
    """A recording and what is said in it."""

    sound: Path
    text: str


def make_lecture(folder: Path, minutes: int, seed: int = 7) -> Lecture:
    """Make a lecture, or find the one that was made before.

    Args:
        folder: where it is kept.
        minutes: about how long.
        seed: of the sentences and pauses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sound, text = folder / f"lecture-{minutes}min.mp3", folder / f"lecture-{minutes}min.txt"
    if not (sound.exists() and text.exists()):
        said, samples = _speak(folder, minutes * 60, random.Random(seed))
        _encode(samples, sound)
        text.write_text(said, encoding="utf-8")
    return Lecture(sound, text.read_text(encoding="utf-8"))


def make_wordless(folder: Path, minutes: int) -> Path:
    """Silence, noise, music and a tone: nothing that anybody says."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"wordless-{minutes}min.mp3"
    if not target.exists():
        chance = np.random.default_rng(7)
        quarter = minutes * 60 * HZ // 4
        tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(quarter) / HZ)
        noise = 0.1 * chance.standard_normal(quarter)
        parts: list[NDArray[Any]] = [np.zeros(quarter), noise, 5 * _music(quarter), tone]
        _encode(np.concatenate(parts).astype(np.float32), target)
    return target


def _speak(folder: Path, length_s: int, chance: random.Random) -> tuple[str, Samples]:
    noise = np.random.default_rng(7)
    parts: list[Samples] = []
    said: list[str] = []
    while sum(len(part) for part in parts) < length_s * HZ:
        paragraph = [_sentence(chance) for _ in range(chance.randint(*SENTENCES_IN_A_PARAGRAPH))]
        said += paragraph
        voice = _flite(" ".join(paragraph), folder)
        bed = _music(len(voice)) if chance.random() < MUSIC_SHARE else np.zeros(len(voice), np.float32)
        pause = np.zeros(round(chance.uniform(0.5, 4.0) * HZ), np.float32)
        if chance.random() < NOISE_SHARE:
            pause = (NOISE_LEVEL * noise.standard_normal(len(pause))).astype(np.float32)
        parts += [voice + bed, pause]
    return " ".join(said), np.concatenate(parts)


def _sentence(chance: random.Random) -> str:
    words = (chance.choice(SUBJECTS), chance.choice(VERBS), chance.choice(OBJECTS), chance.choice(ENDINGS))
    return " ".join(words).capitalize() + "."


def _flite(text: str, folder: Path) -> Samples:
    file = folder / "spoken.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(file)], check=True)
    with wave.open(str(file)) as spoken:
        samples = np.frombuffer(spoken.readframes(spoken.getnframes()), np.int16)
    file.unlink()
    return (samples / 32_768).astype(np.float32)


def _music(length: int) -> Samples:
    time_s = np.arange(length) / HZ
    swell = 1 + 0.5 * np.sin(2 * np.pi * 0.25 * time_s)
    chord = sum(np.sin(2 * np.pi * tone_hz * time_s) for tone_hz in CHORD_HZ)
    return (BED_LEVEL * swell * chord / len(CHORD_HZ)).astype(np.float32)


def _encode(samples: Samples, target: Path) -> None:
    """Write an MP3 as the encoding function does."""
    argv = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(HZ), "-ac", "1", "-i", "-", "-ar", "48000"]
    subprocess.run([*argv, "-c:a", "libmp3lame", "-q:a", "2", str(target)], input=samples.tobytes(), check=True)
