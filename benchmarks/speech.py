"""Makes speech of known text: sentences of a small grammar, spoken by flite, with pauses, music and noise between.

What is said is known to the letter, so that a transcription can be judged without anybody listening. There are no
numbers, names or words that are spelt in two ways: everybody would write these sentences alike.
"""

import json
import random
import shutil
import tempfile
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.measure import run_measured

RATE_HZ = 16_000
"""Of flite's voice."""
SEED = 11
VOICE = "slt"
PASSAGE_SENTENCES = 6
SENTENCE_PAUSES_S = (0.35, 0.9)
PASSAGE_PAUSES_S = (3.0, 8.0)
BED_EVERY = 3
"""One passage in so many has music under it."""
BED_S = 60
MUSIC_GAIN, NOISE_GAIN, BED_GAIN = 0.5, 0.5, 0.1
"""Between passages, and under speech: some 20 dB below it."""
MP3_QUALITY = ("-q:a", "2")
"""Pod makes its MP3 with a variable bit rate."""
LAVFI = ("-f", "lavfi", "-i")

SUBJECTS = (
    "the teacher", "the young doctor", "our neighbor", "the old farmer", "a careful engineer", "the museum",
    "the university", "a small group of students", "the captain", "my brother", "the city council", "a famous writer",
    "the library", "the orchestra", "every gardener", "the research team",
)  # fmt: skip
VERBS = (
    "described", "discovered", "collected", "protected", "explained", "remembered", "presented", "forgot", "repaired",
    "studied", "painted", "ordered", "followed", "defended", "compared", "published",
)  # fmt: skip
ADJECTIVES = (
    "simple", "ancient", "beautiful", "difficult", "wooden", "quiet", "modern", "dangerous", "broken", "expensive",
    "familiar", "strange", "golden", "invisible", "powerful", "forgotten",
)  # fmt: skip
OBJECTS = (
    "bridge", "machine", "garden", "picture", "island", "theory", "language", "mountain", "window", "experiment",
    "railway", "novel", "village", "kitchen", "instrument", "computer", "forest", "question",
)  # fmt: skip
PLACES = (
    "near the river", "behind the station", "in the northern valley", "at the market", "on the second floor",
    "under the open sky", "in the middle of the desert", "beside the railway line", "in a crowded room",
    "across the lake", "at the end of the street", "along the coast",
)  # fmt: skip
TIMES = (
    "yesterday evening", "last summer", "before the war", "every morning", "in the winter", "after a long discussion",
    "during the holidays", "on a rainy afternoon", "at the beginning of the year", "without any warning",
    "for the first time", "many years ago",
)  # fmt: skip
REASONS = (
    "because nobody had expected it", "although the weather was terrible", "while the children were sleeping",
    "so that everyone could understand", "until the money was gone", "because the results were surprising",
    "although most people disagreed", "while the music was playing", "before the winter arrived",
    "because the water was still warm", "so that nothing would be lost", "although it seemed impossible",
)  # fmt: skip
TEMPLATES = (
    "{subject} {verb} the {adjective} {object} {place}.",
    "{time}, {subject} {verb} a {object} {place}.",
    "{subject} {verb} the {object} {reason}.",
    "{time}, {subject} {verb} the {adjective} {object} {reason}.",
    "we know that {subject} {verb} the {adjective} {object}, but the {object2} was never found.",
    "there is a {adjective2} {object} {place}, and {subject} {verb} the {object2} {time}.",
)

Samples = npt.NDArray[np.float32]
"""(n_samples,), mono, RATE_HZ, in [−1, 1]."""


@dataclass(frozen=True)
class Sentence:
    """What is said and when."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """A recording and what is said in it."""

    path: Path
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(sentence.text for sentence in self.sentences)


def write_sentences(seed: int) -> Iterator[str]:
    """Different sentences without end; the same for the same seed."""
    chance = random.Random(seed)
    said: set[str] = set()
    while True:
        first, second = chance.sample(OBJECTS, 2)
        adjective, adjective2 = chance.choice(ADJECTIVES), chance.choice([a for a in ADJECTIVES if a[0] not in "aei"])
        template = chance.choice(TEMPLATES).replace("a {object}", _article(first) + " {object}")
        text = template.format(
            subject=chance.choice(SUBJECTS), verb=chance.choice(VERBS), adjective=adjective, adjective2=adjective2,
            object=first, object2=second, place=chance.choice(PLACES), time=chance.choice(TIMES),
            reason=chance.choice(REASONS),
        )  # fmt: skip
        if text not in said:
            said.add(text)
            yield text[0].upper() + text[1:]


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeio" else "a"


def make_speech(folder: Path, minutes: int) -> Speech:
    """Make a recording of speech, or find the one that was made before.

    Args:
        folder: where recordings are kept.
        minutes: how long it is.

    Returns:
        An MP3 file of 44.1 kHz stereo and its text.
    """
    if not shutil.which("flite"):
        raise SystemExit("The benchmark has its text spoken by the command flite, which is not installed.")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"speech-{minutes}min-{SEED}.mp3"
    script = target.with_suffix(".json")
    if not (target.exists() and script.exists()):
        with tempfile.TemporaryDirectory(dir=folder) as work:
            sentences = _record(Path(work), minutes * 60)
            _encode(Path(work) / "speech.wav", target)
        script.write_text(json.dumps([asdict(sentence) for sentence in sentences]), encoding="utf-8")
    told = json.loads(script.read_text(encoding="utf-8"))
    return Speech(target, tuple(Sentence(**sentence) for sentence in told))


def make_wordless(folder: Path, minutes: int) -> Path:
    """Make a recording in which nobody speaks: silence, noise, music and a tone, a quarter each."""
    target = folder / f"wordless-{minutes}min.mp3"
    if target.exists():
        return target
    each_s = minutes * 60 / 4
    sounds = ("anullsrc=r=44100:cl=mono", "anoisesrc=r=44100:color=pink:a=0.2:seed=3", _chords(), "sine=440:r=44100")
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-y"]
    for sound in sounds:
        argv += ["-t", str(each_s), *LAVFI, sound]
    partial = target.with_suffix(".partial.mp3")
    joined = "".join(f"[{number}]aformat=sample_fmts=fltp:channel_layouts=mono[s{number}];" for number in range(4))
    joined += "[s0][s1][s2][s3]concat=n=4:v=0:a=1"
    run_measured([*argv, "-filter_complex", joined, *MP3_QUALITY, "-ac", "2", str(partial)])
    return partial.replace(target)


def repeat_speech(speech: Path, length_s: int) -> Path:
    """Play a recording again and again, without encoding it anew."""
    target = speech.with_name(f"{speech.stem}-{length_s}s.mp3")
    if not target.exists():
        partial = target.with_suffix(".partial.mp3")
        argv = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-stream_loop", "-1", "-i", str(speech)]
        run_measured([*argv, "-t", str(length_s), "-c", "copy", str(partial)])
        partial.replace(target)
    return target


def _chords() -> str:
    """Four chords in turn, two seconds each, plucked: a lavfi source."""
    roots_hz = (130.81, 110.0, 174.61, 196.0)
    root = "+".join(f"{hz}*eq(mod(floor(t/2),4),{number})" for number, hz in enumerate(roots_hz))
    notes = "+".join(f"sin(2*PI*{ratio}*({root})*t)" for ratio in (1, 1.25, 1.5, 2))
    return f"aevalsrc='0.12*exp(-mod(t,0.5)*3)*({notes})':s=44100"


def _encode(wav: Path, target: Path) -> None:
    partial = target.with_suffix(".partial.mp3")
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(wav), "-ar", "44100", "-ac", "2", *MP3_QUALITY]
    run_measured([*argv, str(partial)])
    partial.replace(target)


def _record(work: Path, length_s: int) -> list[Sentence]:
    """Write speech.wav, block by block: an hour is never whole in memory."""
    chance, texts = random.Random(SEED), write_sentences(SEED)
    music, noise = _bed(work, _chords()), _bed(work, "anoisesrc=color=pink:a=0.1:seed=7")
    sounds = ((music, 0.0), (noise, NOISE_GAIN), (music, MUSIC_GAIN))
    sentences: list[Sentence] = []
    with wave.open(str(work / "speech.wav"), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        for number in range(length_s):
            at_s = file.tell() / RATE_HZ
            samples, said = _passage(work, texts, chance, at_s)
            if at_s + len(samples) / RATE_HZ > length_s:
                break
            if number % BED_EVERY == 0:
                samples = samples + BED_GAIN * np.resize(music, len(samples))
            sound, gain = sounds[number % len(sounds)]
            pause = gain * np.resize(sound, int(chance.uniform(*PASSAGE_PAUSES_S) * RATE_HZ))
            _append(file, samples)
            _append(file, pause[: max(0, length_s * RATE_HZ - file.tell())])
            sentences += said
        _append(file, np.zeros(max(0, length_s * RATE_HZ - file.tell()), np.float32))
    return sentences


def _passage(work: Path, texts: Iterator[str], chance: random.Random, at_s: float) -> tuple[Samples, list[Sentence]]:
    wanted = [next(texts) for _ in range(PASSAGE_SENTENCES)]
    with ThreadPoolExecutor() as pool:
        spoken = list(pool.map(lambda number: _speak(work, number, wanted[number]), range(len(wanted))))
    pieces, said = [], []
    for text, samples in zip(wanted, spoken, strict=True):
        length_s = len(samples) / RATE_HZ
        said.append(Sentence(text, round(at_s, 3), round(at_s + length_s, 3)))
        pause = np.zeros(int(chance.uniform(*SENTENCE_PAUSES_S) * RATE_HZ), np.float32)
        pieces += [samples, pause]
        at_s += length_s + len(pause) / RATE_HZ
    return np.concatenate(pieces), said


def _speak(work: Path, number: int, text: str) -> Samples:
    path = work / f"{number}.wav"
    run_measured(["flite", "-voice", VOICE, "-t", text, "-o", str(path)])
    return _read(path)


def _bed(work: Path, source: str) -> Samples:
    path = work / "bed.wav"
    run_measured(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-t", str(BED_S), *LAVFI, source, "-ar", str(RATE_HZ), str(path)]
    )
    return _read(path)


def _read(path: Path) -> Samples:
    with wave.open(str(path), "rb") as file:
        frames = file.readframes(file.getnframes())
    return np.frombuffer(frames, "<i2").astype(np.float32) / np.float32(32768)


def _append(file: wave.Wave_write, samples: Samples) -> None:
    file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
