"""How a sound is transcribed: what all steps of a job share. Travels as JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from podjobs.transcription.hearing.sound import Sound
from podjobs.transcription.languages import ENGLISH


class Part(BaseModel):
    """What one step transcribes."""

    model_config = ConfigDict(frozen=True)

    number: int
    start_s: float
    end_s: float

    @property
    def name(self) -> str:
        """The name of the step and of its file."""
        return f"part-{self.number:04d}"

    @property
    def length_s(self) -> float:
        """From start to end."""
        return self.end_s - self.start_s


class Recipe(BaseModel):
    """A job as planned."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    """It rises when a later step would misread what an earlier version wrote: such a job is planned anew."""
    sound: Sound
    length_s: float
    cuts_s: tuple[float, ...]
    """Between the parts."""
    language: str
    """What is spoken: one of Whisper's codes."""
    language_is_open: bool = False
    """Whether nobody asked for it: it was detected, and what is clearly said in another one is transcribed in that."""
    translate: bool = False
    """Whether the captions are in English all the same."""
    log: tuple[str, ...] = ()

    @property
    def caption_language(self) -> str:
        """What is written: one of Whisper's codes."""
        return ENGLISH if self.translate else self.language

    def parts(self, beyond_s: float) -> tuple[Part, ...]:
        """The parts of the sound.

        Args:
            beyond_s: how much longer than measured the sound may be.
        """
        ends_s = (*self.cuts_s, self.length_s + beyond_s)
        starts_s = (0.0, *self.cuts_s)
        return tuple(
            Part(number=number, start_s=start_s, end_s=end_s)
            for number, (start_s, end_s) in enumerate(zip(starts_s, ends_s, strict=True))
        )
