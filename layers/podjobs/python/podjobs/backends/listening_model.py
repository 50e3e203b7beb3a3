"""A Whisper model that notes which language is spoken in what it transcribes, whatever language was asked for.

What is heard is encoded once, and the language is read from that: a single step of the decoder, where to detect it
beforehand would encode everything twice.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faster_whisper
import numpy as np

Spoken = tuple[str, float]
"""A language's code, and how probable it is."""
_SIGNS = "<|>"


class ListeningModel(faster_whisper.WhisperModel):  # type: ignore[misc]  # it has no annotations
    """As its base; in `noting`, the likeliest language of everything that is encoded is noted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._notes = threading.local()

    @contextmanager
    def noting(self) -> Iterator[list[Spoken]]:
        """Note languages in this thread, one for each window of up to 30 s, in the order in which they are encoded.

        A model that knows only English notes nothing.
        """
        noted: list[Spoken] = []
        self._notes.spoken = noted
        try:
            yield noted
        finally:
            self._notes.spoken = None

    def encode(self, features: np.ndarray[Any, Any]) -> Any:
        """Encode windows, and note which languages are spoken in them."""
        encoded = super().encode(features)
        noted = getattr(self._notes, "spoken", None)
        if noted is not None and self.model.is_multilingual:
            noted += [_likeliest(languages) for languages in self.model.detect_language(encoded)]
        return encoded


def _likeliest(languages: list[tuple[str, float]]) -> Spoken:
    token, probability = languages[0]
    return token.strip(_SIGNS), float(probability)
