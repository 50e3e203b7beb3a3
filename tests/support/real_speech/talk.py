"""Talks: sentences with pauses between them, and when each is said."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from support.real_speech.texts import DRILLS, sentences
from support.speech import RATE_HZ
from support.voices import VOICES, Samples, Voice, say

PAUSES_S = (0.3, 0.9)
LONG_PAUSES_S = (1.5, 4.0)
"""Now and then somebody thinks, or turns a page."""
TURN = 5
"""Sentences until another voice goes on."""


@dataclass(frozen=True)
class Sentence:
    """What is said, and when."""

    text: str
    start_s: float
    end_s: float


@dataclass
class Talk:
    """Somebody speaks, then somebody else, in one language or several."""

    chance: random.Random
    pieces: list[Samples] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)

    @property
    def length_s(self) -> float:
        """So far."""
        return sum(piece.size for piece in self.pieces) / RATE_HZ

    @property
    def samples(self) -> Samples:
        """The sound, with its pauses."""
        return np.concatenate(self.pieces)

    @property
    def said(self) -> Samples:
        """The sound of the sentences, without their pauses."""
        samples = self.samples
        spans = [(round(said.start_s * RATE_HZ), round(said.end_s * RATE_HZ)) for said in self.sentences]
        return np.concatenate([samples[start:end] for start, end in spans])

    def pause(self, length_s: float) -> None:
        """Nobody speaks."""
        self.pieces.append(np.zeros(round(length_s * RATE_HZ), np.float32))

    def sound(self, samples: Samples) -> None:
        """Something else is heard."""
        self.pieces.append(samples)

    def say(self, text: str, voice: Voice) -> None:
        """A sentence, and a pause after it."""
        start_s = self.length_s
        self.pieces.append(say(text, voice))
        self.sentences.append(Sentence(text, start_s, self.length_s))
        self.pause(self.chance.uniform(*(LONG_PAUSES_S if self.chance.random() < 1 / 8 else PAUSES_S)))

    def go_on(self, language: str, length_s: float, count: int = 0) -> None:
        """Sentences one after another, by changing voices.

        Args:
            language: which.
            length_s: at least so much longer.
            count: at least so many.
        """
        texts, voices = sentences(language, self.chance), _turns(language, self.chance)
        end_s, last = self.length_s + length_s, len(self.sentences) + count
        while self.length_s < end_s or len(self.sentences) < last:
            self.say(next(texts), next(voices))

    def drill(self, language: str) -> None:
        """What teachers repeat, each part by one voice."""
        voices = _turns(language, self.chance)
        for text in DRILLS[language]:
            self.say(text, next(voices))


def _turns(language: str, chance: random.Random) -> Iterator[Voice]:
    while True:
        voice = chance.choice(VOICES[language])
        for _ in range(TURN):
            yield voice
