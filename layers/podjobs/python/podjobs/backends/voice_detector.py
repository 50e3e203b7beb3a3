"""Voice activity detection by Silero VAD, which is let listen afresh again and again.

The detector is recurrent. After minutes of music or of a steady noise its memory takes speech for more of the same: a
greeting that it finds with 0.9 from a fresh state scores 0.06 (docs/decisions/0073-speech-is-heard-afresh.md). Whoever
listens to the whole sound knows its context best, who begins shortly before hears what is new: the higher
probability counts.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from podjobs.contract.ports.speech import SOUND_HZ, VAD_FRAME_S

Samples = npt.NDArray[np.float32]
"""(n_samples,), mono, 16 kHz, in [−1, 1]."""
Probabilities = npt.NDArray[np.float32]
"""(n_frames,), in [0, 1]."""
Detector = Callable[[Samples], Probabilities]
"""Listens to whole frames from a fresh state. It may write into what it is given."""

VAD_FRAME_SAMPLES = round(VAD_FRAME_S * SOUND_HZ)
FRESH_FRAMES = round(8 / VAD_FRAME_S)
"""How long a fresh look lasts."""
FRESH_HOP_FRAMES = round(6 / VAD_FRAME_S)
"""How long after one fresh look the next one begins."""
SETTLING_FRAMES = round(1 / VAD_FRAME_S)
"""Ignored at the beginning of a fresh look, where music is easily taken for speech; the look before still goes on."""


def detect_voice(samples: Samples, detector: Detector) -> Probabilities:
    """The probability of speech in every frame: the highest of what the whole sound and fresh looks at it say.

    Args:
        samples: of any length; the last frame is filled up with silence.
        detector: costs 2.3 times what it costs to listen once.
    """
    padded = np.pad(samples, (0, -samples.size % VAD_FRAME_SAMPLES))
    frames = padded.size // VAD_FRAME_SAMPLES
    if not frames:
        return np.zeros(0, np.float32)
    probabilities = detector(padded.copy()).reshape(frames)
    for first, counts_from, end in fresh_looks(frames):
        heard = detector(padded[first * VAD_FRAME_SAMPLES : end * VAD_FRAME_SAMPLES].copy()).reshape(end - first)
        counted = probabilities[counts_from:end]
        np.maximum(counted, heard[counts_from - first :], out=counted)
    return probabilities


def fresh_looks(frames: int) -> Sequence[tuple[int, int, int]]:
    """Choose where the detector begins afresh. Pure.

    Args:
        frames: of the sound.

    Returns:
        (first frame heard, first frame that counts, frame after the last one), in order. The frames that count cover
        the sound from the second look on; what comes before is heard from a fresh state anyway.
    """
    starts = range(FRESH_HOP_FRAMES, max(frames - SETTLING_FRAMES, 0), FRESH_HOP_FRAMES)
    return [(start, start + SETTLING_FRAMES, min(start + FRESH_FRAMES, frames)) for start in starts]
