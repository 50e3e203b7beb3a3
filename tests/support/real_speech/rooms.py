"""What rooms, microphones and wires do to speech. Pure, all on samples at 16 kHz."""

import numpy as np

from support.lecture import music
from support.speech import RATE_HZ
from support.voices import Samples, amplitude, rms

MU = 255
PHONE_HZ = (300, 3_400)
REVERB_S = 1.0
"""Until it has lost 60 dB."""


def telephone(samples: Samples) -> Samples:
    """Speech as a telephone brings it: a narrow band, in 8 bits by the µ-law."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(samples.size, 1 / RATE_HZ)
    spectrum[(hertz < PHONE_HZ[0]) | (hertz > PHONE_HZ[1])] = 0
    narrow = np.clip(np.fft.irfft(spectrum, samples.size), -1, 1)
    companded = np.round(127 * np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU)) / 127
    heard: Samples = (np.sign(companded) * np.expm1(np.abs(companded) * np.log1p(MU)) / MU).astype(np.float32)
    return heard


def reverberate(samples: Samples, noise: np.random.Generator) -> Samples:
    """Speech in a large bare room: as much comes back from the walls as comes directly."""
    times_s = np.arange(round(1.5 * REVERB_S * RATE_HZ)) / RATE_HZ
    walls = noise.normal(0, 1, times_s.size) * 10 ** (-3 * times_s / REVERB_S)
    walls[: RATE_HZ // 100] = 0
    answer = walls / np.sqrt(np.sum(walls**2))
    answer[0] = 1.0
    size = samples.size + answer.size
    heard = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(answer, size), size)[: samples.size]
    return (heard * (rms(samples) / rms(heard.astype(np.float32)))).astype(np.float32)


def pink_noise(size: int, noise: np.random.Generator) -> Samples:
    """Noise as loud in each octave, as that of rain, fans and streets nearly is."""
    spectrum = np.fft.rfft(noise.normal(0, 1, size))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, size).astype(np.float32)


def make_music(size: int, noise: np.random.Generator) -> Samples:
    """Chords that are struck twice a second."""
    return music(size / RATE_HZ + 0.1, noise)[:size]


def under(speech: Samples, other: Samples, ratio_db: float, said: Samples) -> Samples:
    """Mix a sound under speech.

    Args:
        speech: with its pauses.
        other: as long.
        ratio_db: how much louder the speech is.
        said: the speech without its pauses, whose level counts.
    """
    return speech + other * np.float32(rms(said) / rms(other) * amplitude(-ratio_db))
