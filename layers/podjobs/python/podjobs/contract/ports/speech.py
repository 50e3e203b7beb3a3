"""Speech models: they detect speech and transcribe it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from podjobs.contract.confidence import SURE, Confidence

SOUND_HZ = 16_000
SOUND_BYTES_PER_S = 2 * SOUND_HZ
"""Sound is passed to models as bytes: mono, 16 kHz, 16 bits per sample, little-endian."""
VAD_FRAME_S = 512 / SOUND_HZ
"""Length of sound for which the voice activity detector returns one probability. Source: Silero VAD."""
WINDOW_S = 30.0
"""Longest sound that a model transcribes at once. Source: Whisper."""


@dataclass(frozen=True)
class ModelLocation:
    """Where a speech model can be found."""

    model: str
    """One of Whisper's names, or a folder that holds a CTranslate2 model."""
    download_root: str = ""
    """Folder for models given by name; empty: Hugging Face's default."""


@dataclass(frozen=True)
class Word:
    """A transcribed word, with its time."""

    text: str
    """With the space before it, as Whisper writes it; punctuation belongs to its word. A word without a space before it
    continues the previous one («l'» «homme», Chinese)."""
    start_s: float
    """From the beginning of the sound that it was transcribed from."""
    end_s: float
    probability: float = 1.0


@dataclass(frozen=True)
class WindowTranscript:
    """What a model transcribed from one window."""

    words: tuple[Word, ...]
    confidence: Confidence = SURE
    spoken: str = ""
    """The language that is likeliest spoken, whatever was asked for; empty: the model cannot tell languages apart."""
    spoken_probability: float = 0.0


class SpeechModel(Protocol):
    """Detects speech and transcribes it. Kept warm: a model is loaded once per process.

    All methods but `speech_probabilities` raise PermanentError when the model cannot be used (no such model, files
    missing or damaged), RetryableError when it could not be loaded this time, NotNowError when memory is short.
    """

    def speech_probabilities(self, sound: bytes) -> Sequence[float]:
        """The probability of speech, between 0 and 1, in every `VAD_FRAME_S` of a sound."""

    def is_here(self, location: ModelLocation) -> bool:
        """Whether a model is on this machine; False: it must be downloaded. Raises only PermanentError."""

    def is_multilingual(self, location: ModelLocation) -> bool:
        """Whether a model knows languages other than English."""

    def detect_language(self, location: ModelLocation, sound: bytes) -> dict[str, float]:
        """The probabilities of languages, by ISO 639-1 code, judged by the first `WINDOW_S` of a sound."""

    def transcribe(  # noqa: PLR0913 - what windows are transcribed with, by name
        self,
        location: ModelLocation,
        windows: Sequence[bytes],
        language: str,
        *,
        thorough: bool,
        translate: bool = False,
        hotwords: str = "",
    ) -> tuple[WindowTranscript, ...]:
        """Transcribe windows of speech.

        Args:
            location: the model.
            windows: sounds of at most `WINDOW_S` each, in order: the text of one is context for the next.
            language: ISO 639-1 code that the model knows.
            thorough: take more time: one window after another, and again with other parameters if the model is unsure.
            translate: into English, which only multilingual models can.
            hotwords: that may be said, spelled as they are to be written.

        Returns:
            One transcript per window.
        """
