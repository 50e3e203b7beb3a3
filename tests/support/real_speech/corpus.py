"""The conditions, and a recording of each in each language: some 30 minutes, or a few for a quick look."""

import json
import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from support.real_speech.names import SAID
from support.real_speech.rooms import make_music, pink_noise, reverberate, telephone, under
from support.real_speech.talk import TURN, Sentence, Talk
from support.speech import RATE_HZ
from support.voices import VOICES, Samples, amplitude

SEED = 19
VERSION = 2
"""Of what is made: it rises when the corpus changes, so that what was made before is not taken for it."""
LANGUAGES = ("fr", "en")
SEVERAL = "auto"
"""Several languages, and none is asked for."""
ROOM_DB = -60.0
"""The breath of a quiet room, of full scale."""
INTRO_S = 35.0
BABBLERS = 6


@dataclass(frozen=True)
class Size:
    """How long the recordings are."""

    talk_s: float
    """Of each language and condition, at least."""
    intros: int
    """How often music comes before the speech."""
    after: int
    """Sentences after each."""


FULL = Size(talk_s=52, intros=2, after=10)
QUICK = Size(talk_s=22, intros=1, after=5)


@dataclass(frozen=True)
class Recording:
    """A sound, and what is said in it."""

    name: str
    condition: str
    language: str
    """That is asked for."""
    path: Path
    """A FLAC: what is opposite or very quiet stays so."""
    length_s: float
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(sentence.text for sentence in self.sentences)


Make = Callable[[str, random.Random, np.random.Generator, Size], tuple[Talk, Samples]]
"""Of a language: the talk, and its sound, (n_samples,) or (n_samples, 2)."""
Change = Callable[[Talk, np.random.Generator], Samples]
"""What the condition makes of a talk in a quiet room."""


def make_corpus(folder: Path, size: Size, conditions: Sequence[str] = ()) -> list[Recording]:
    """Make recordings, or find those that were made before.

    Args:
        folder: where they are kept.
        size: how long they are.
        conditions: empty: all.
    """
    folder = folder / f"{VERSION}-{size.talk_s:g}-{size.intros}-{size.after}"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _find_or_make(folder, condition, language, size)
        for condition in conditions or CONDITIONS
        for language in ((SEVERAL,) if condition == TWO_LANGUAGES else LANGUAGES)
    ]


def _find_or_make(folder: Path, condition: str, language: str, size: Size) -> Recording:
    name = f"{condition}-{language}"
    path, facts = folder / f"{name}.flac", folder / f"{name}.json"
    if not facts.exists():
        chance = random.Random(f"{SEED} {name}")
        talk, samples = CONDITIONS[condition](language, chance, np.random.default_rng(chance.getrandbits(32)), size)
        write_flac(samples, path)
        found = {"length_s": len(samples) / RATE_HZ, "sentences": [asdict(said) for said in talk.sentences]}
        facts.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    found = json.loads(facts.read_text(encoding="utf-8"))
    said = tuple(Sentence(**sentence) for sentence in found["sentences"])
    return Recording(name, condition, language, path, found["length_s"], said)


def write_flac(samples: Samples, path: Path) -> None:
    """Write mono, (n_samples,), or stereo, (n_samples, 2)."""
    channels = samples.shape[1] if samples.ndim > 1 else 1
    partial = path.with_suffix(".partial.flac")
    argv = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE_HZ), "-ac", str(channels), "-i", "-"]
    # 24 bits: what is 80 dB down has some left; 24 samples a block: none is needed
    argv += ["-sample_fmt", "s32", "-bits_per_raw_sample", "24", str(partial)]
    subprocess.run(argv, input=np.clip(samples, -1, 1).astype("<f4").tobytes(), check=True)
    partial.replace(path)


def _changed(change: Change) -> Make:
    """A talk in a quiet room, under a condition."""

    def make(language: str, chance: random.Random, noise: np.random.Generator, size: Size) -> tuple[Talk, Samples]:
        talk = Talk(chance)
        talk.pause(1.0)
        talk.go_on(language, size.talk_s)
        return talk, in_room(change(talk, noise), noise)

    return make


def in_room(samples: Samples, noise: np.random.Generator) -> Samples:
    """A sound with the breath of the room."""
    return samples + (amplitude(ROOM_DB) * noise.normal(0, 1, samples.shape)).astype(np.float32)


def _under(make: Callable[[int, np.random.Generator], Samples], ratio_db: float) -> Change:
    return lambda talk, noise: under(talk.samples, make(talk.samples.size, noise), ratio_db, talk.said)


def _babble(size: int, noise: np.random.Generator) -> Samples:
    """Many people talk at once, in both languages."""
    heard = np.zeros(size, np.float32)
    for number in range(BABBLERS):
        other = Talk(random.Random(int(noise.integers(1 << 32))))
        other.go_on(LANGUAGES[number % len(LANGUAGES)], 20)
        samples = other.samples
        heard += np.resize(np.roll(samples, int(noise.integers(samples.size))), size)
    return heard


def _quiet(language: str, chance: random.Random, noise: np.random.Generator, size: Size) -> tuple[Talk, Samples]:
    """A microphone that was turned down: the noise of the room is, too."""
    talk, samples = _changed(lambda talk, _: talk.samples)(language, chance, noise, size)
    return talk, samples * np.float32(amplitude(-45))


def _one_channel(talk: Talk, _noise: np.random.Generator) -> Samples:
    return np.stack([talk.samples, np.zeros_like(talk.samples)], axis=1)


def _opposite(talk: Talk, _noise: np.random.Generator) -> Samples:
    """One cable of a symmetric pair is the wrong way round."""
    return np.stack([talk.samples, -talk.samples], axis=1)


def _after_music(language: str, chance: random.Random, noise: np.random.Generator, size: Size) -> tuple[Talk, Samples]:
    talk = Talk(chance)
    for _ in range(size.intros):
        talk.sound(make_music(round(INTRO_S * RATE_HZ), noise))
        talk.pause(0.5)
        talk.go_on(language, 0.0, size.after)
    return talk, in_room(talk.samples, noise)


def _drills(language: str, chance: random.Random, noise: np.random.Generator, size: Size) -> tuple[Talk, Samples]:
    talk = Talk(chance)
    talk.go_on(language, 0.0, 2)
    talk.drill(language)
    talk.go_on(language, max(0.0, size.talk_s - talk.length_s), 1)
    return talk, in_room(talk.samples, noise)


def _two_languages(
    _language: str, chance: random.Random, noise: np.random.Generator, size: Size
) -> tuple[Talk, Samples]:
    talk = Talk(chance)
    for language in ("en", "fr"):
        talk.go_on(language, max(50.0, size.talk_s))
    return talk, in_room(talk.samples, noise)


def _names(language: str, chance: random.Random, noise: np.random.Generator, _size: Size) -> tuple[Talk, Samples]:
    talk = Talk(chance)
    for number, text in enumerate(SAID[language]):
        talk.say(text, VOICES[language][number // TURN % len(VOICES[language])])
    return talk, in_room(talk.samples, noise)


TWO_LANGUAGES, WITH_NAMES = "two-languages", "names"
CONDITIONS: dict[str, Make] = {
    "clean": _changed(lambda talk, _: talk.samples),
    "telephone": _changed(lambda talk, _: telephone(talk.samples)),
    "quiet": _quiet,
    "one-channel": _changed(_one_channel),
    "opposite": _changed(_opposite),
    "pink-5": _changed(_under(pink_noise, 5)),
    "pink-0": _changed(_under(pink_noise, 0)),
    "babble-5": _changed(_under(_babble, 5)),
    "music-5": _changed(_under(make_music, 5)),
    "after-music": _after_music,
    "reverb": _changed(lambda talk, noise: reverberate(talk.samples, noise)),
    "drills": _drills,
    TWO_LANGUAGES: _two_languages,
    WITH_NAMES: _names,
}
"""By name: a number is how many dB louder the speech is."""
