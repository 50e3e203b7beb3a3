"""Synthetic voices in French and English, as samples.

English by flite, which ffmpeg brings; both languages by SVOX Pico, of whose French a small model gets a tenth of the
words wrong. Of espeak-ng's it gets more than half of them wrong, so that nothing can be measured with it.
"""

import tempfile
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from py_nanotts import NanoTTS  # type: ignore[import-untyped]  # it has no annotations

from support.speech import RATE_HZ, speak

Samples = npt.NDArray[np.float32]
"""(n_samples,), mono, 16 kHz, in [−1, 1]."""
LEVEL_DB = -20.0
"""RMS of what is said, of full scale: voices are equally loud."""


@dataclass(frozen=True)
class Voice:
    """Somebody who speaks."""

    name: str
    """One of flite's, or a locale of Pico's."""
    pitch: float = 1.0
    """Times the voice's own; Pico only."""
    speed: float = 1.0
    """Likewise."""


VOICES = {
    "fr": (Voice("fr-FR"), Voice("fr-FR", pitch=0.8, speed=0.95), Voice("fr-FR", pitch=1.2, speed=1.05)),
    "en": (Voice("slt"), Voice("en-US"), Voice("rms"), Voice("en-GB", pitch=0.85), Voice("en-GB", speed=1.1)),
}
"""By language."""


@cache
def say(text: str, voice: Voice) -> Samples:
    """What a voice says, without silence around it; not to be changed in place.

    Args:
        text: a sentence or two.
        voice: whose language is that of the text.
    """
    samples = _flite(text, voice.name) if "-" not in voice.name else _pico(text, voice)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[max(0, loud[0] - 400) : loud[-1] + 800]
    said: Samples = np.clip(samples * (amplitude(LEVEL_DB) / rms(samples)), -1, 1)
    said.setflags(write=False)
    return said


def rms(samples: Samples) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def amplitude(level_db: float) -> float:
    """What is multiplied with for a level."""
    return float(10 ** (level_db / 20))


def _pico(text: str, voice: Voice) -> Samples:
    pcm = NanoTTS().speak(text, voice=voice.name, pitch=voice.pitch, speed=voice.speed)
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def _flite(text: str, voice: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = speak(Path(folder) / "said.wav", text, voice)
        with wave.open(str(path)) as file:
            assert file.getframerate() == RATE_HZ
            pcm = file.readframes(file.getnframes())
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
