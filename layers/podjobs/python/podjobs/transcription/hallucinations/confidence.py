"""When text is doubtful, and how it is told that it was left out. Pure."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from podjobs.media.timestamps import timestamp
from podjobs.transcription.hearing.utterances import Segment, Word

FEW_CHARS = 20
"""So few letters tell nothing of how fast somebody speaks."""
LONGEST_QUOTE_CHARS = 80
"""Of a text in the log."""


class InventionLimits(BaseModel):
    """From where on text is taken for invented."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_speech_share: float = Field(default=0.1, ge=0, le=1)
    """Text of which a smaller part of the time is speech lies where nobody speaks."""
    speech_margin_s: float = Field(default=0.3, ge=0)
    """Added on both sides of speech, as the times of words are not exact."""
    far_margin_s: float = Field(default=1.5, ge=0)
    """A phrase further than this from all speech is not believed, even if the rest of its segment is."""
    no_speech_probability: float = Field(default=0.6, ge=0, le=1)
    """Above, together with a low log probability, the model itself heard no speech. Source: whisper's defaults."""
    low_log_probability: float = Field(default=-1.0, le=0)
    """Natural logarithm, per token. Source: whisper's defaults."""
    doubtful_no_speech_probability: float = Field(default=0.4, ge=0, le=1)
    """Above, a segment is doubtful: a phantom phrase or a loop in it is not believed."""
    doubtful_log_probability: float = Field(default=-0.6, le=0)
    """Below, a segment is doubtful."""
    doubtful_compression_ratio: float = Field(default=2.4, gt=0)
    """Above, a segment is doubtful. Source: whisper's defaults."""
    looping_compression_ratio: float = Field(default=4.0, gt=0)
    """Above, a loop in a segment is doubtful. Drills and refrains that were said reach 3; a model that goes round in
    circles fills its passage and reaches 5 and more."""
    doubtful_word_probability: float = Field(default=0.5, ge=0, le=1)
    """Below it on average, a phrase is doubtful."""
    max_chars_per_s: float = Field(default=50.0, gt=0)
    """Nobody speaks faster; the fastest speakers reach 30."""
    max_word_times: int = Field(default=12, ge=1)
    """How often people say one word in a row: «la la la», «zéro zéro zéro». A third where the text is doubtful."""
    max_phrase_times: int = Field(default=9, ge=1)
    """Likewise of two or three words."""
    max_sentence_times: int = Field(default=6, ge=1)
    """Likewise of four words or more, as in a dictation or a refrain."""


def is_doubtful(segment: Segment, limits: InventionLimits) -> bool:
    """Whether the model was not sure of a segment, or it is much of the same."""
    return _is_unsure(segment, limits) or segment.compression_ratio > limits.doubtful_compression_ratio


def may_loop(segment: Segment, limits: InventionLimits) -> bool:
    """Whether the model was not sure of a segment, or it is of the same more than people say."""
    return _is_unsure(segment, limits) or segment.compression_ratio > limits.looping_compression_ratio


def _is_unsure(segment: Segment, limits: InventionLimits) -> bool:
    return (
        segment.no_speech_probability > limits.doubtful_no_speech_probability
        or segment.average_log_probability < limits.doubtful_log_probability
    )


def is_impossibly_fast(words: Sequence[Word], limits: InventionLimits) -> bool:
    """Whether words have next to no time."""
    chars = sum(len(word.text) for word in words)
    duration_s = sum(max(word.end_s - word.start_s, 0.0) for word in words)
    return chars >= FEW_CHARS and chars > limits.max_chars_per_s * duration_s


def tell(words: Sequence[Word], reason: str) -> str:
    """A sentence for the job's log: when, what and why."""
    text = "".join(word.text for word in words).strip()
    shown = text if len(text) <= LONGEST_QUOTE_CHARS else text[: LONGEST_QUOTE_CHARS - 1] + "…"
    return f"At {timestamp(max(words[0].start_s, 0.0))} «{shown}» was left out: {reason}."
