"""What is recognised in speech: words with their times. Pure; travels as JSON between steps."""

from pydantic import BaseModel, ConfigDict, Field


class Word(BaseModel):
    """A word as it was heard."""

    model_config = ConfigDict(frozen=True)

    text: str
    """With the space before it, as Whisper writes it; punctuation stays with its word. A word without a space before it
    continues the one before («l'» «homme», Chinese)."""
    start_s: float
    """From the beginning of the sound file."""
    end_s: float
    probability: float = Field(default=1.0, ge=0, le=1)


class Segment(BaseModel):
    """What the model took for one utterance."""

    model_config = ConfigDict(frozen=True)

    words: tuple[Word, ...]
    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    """Natural logarithm, per token; the nearer to 0 the surer."""
    compression_ratio: float = 1.0
    """Of the text: high where it repeats itself."""

    @property
    def text(self) -> str:
        """All its words."""
        return "".join(word.text for word in self.words).strip()

    @property
    def start_s(self) -> float:
        """From the beginning of the sound file; a segment has at least one word."""
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        """From the beginning of the sound file."""
        return self.words[-1].end_s
