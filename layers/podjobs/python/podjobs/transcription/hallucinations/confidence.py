"""When the text of an utterance counts as unsure or impossible; the operator's limits. Pure."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from podjobs.contract.confidence import NO_SPEECH_PROBABILITY, WHISPER_LIMITS, Confidence, ConfidenceLimits
from podjobs.contract.ports.speech import Word

FEW_CHARS = 20
"""Fewer letters say nothing about how fast somebody speaks."""


class HallucinationLimits(BaseModel):
    """The limits beyond which text counts as hallucinated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_speech_share: float = Field(default=0.1, ge=0, le=1)
    """Text is dropped where a smaller share of its time is speech."""
    speech_margin_s: float = Field(default=0.3, ge=0)
    """Added on both sides of speech, as the times of words are not exact."""
    far_margin_s: float = Field(default=1.5, ge=0)
    """A clause farther than this from all speech is dropped, even if the rest of its utterance is not."""
    no_speech_probability: float = Field(default=NO_SPEECH_PROBABILITY, ge=0, le=1)
    """Above this, together with a low log probability, the model itself heard no speech."""
    low_log_probability: float = Field(default=WHISPER_LIMITS.log_probability, le=0)
    """Natural logarithm, per token."""
    guessed_log_probability: float = Field(default=-1.5, le=0)
    """Below this, an utterance was guessed, and is dropped: its words have a probability of 22 % at most."""
    unsure_no_speech_probability: float = Field(default=0.4, ge=0, le=1)
    """Above this, an utterance is unsure: known hallucinations and repetitions in it are dropped."""
    unsure_log_probability: float = Field(default=-0.6, le=0)
    """Below this, an utterance is unsure."""
    unsure_compression_ratio: float = Field(default=WHISPER_LIMITS.compression_ratio, gt=0)
    """Above this, an utterance is unsure."""
    looping_compression_ratio: float = Field(default=4.0, gt=0)
    """Above this, repetitions in an utterance are unsure. Drills and refrains that were really said reach 3; a model
    that goes round in circles fills its window and reaches 5 or more."""
    unsure_word_probability: float = Field(default=0.5, ge=0, le=1)
    """Below this, on average, a clause is unsure."""
    max_chars_per_s: float = Field(default=50.0, gt=0)
    """Nobody speaks faster; the fastest speakers reach 30."""
    max_word_times: int = Field(default=12, ge=1)
    """How often people say one word in a row: «la la la», «zéro zéro zéro». A third of it where the text is unsure."""
    max_phrase_times: int = Field(default=9, ge=1)
    """Likewise for two or three words."""
    max_sentence_times: int = Field(default=6, ge=1)
    """Likewise for four words or more, as in a dictation or a refrain."""

    @property
    def unsure(self) -> ConfidenceLimits:
        """Beyond these an utterance is unsure."""
        return ConfidenceLimits(
            self.unsure_log_probability, self.unsure_compression_ratio, self.unsure_no_speech_probability
        )

    @property
    def unsure_repetition(self) -> ConfidenceLimits:
        """Beyond these a repetition is unsure: more of the same is allowed than elsewhere."""
        return ConfidenceLimits(
            self.unsure_log_probability, self.looping_compression_ratio, self.unsure_no_speech_probability
        )

    def heard_no_speech(self, confidence: Confidence) -> bool:
        """Whether the model itself heard no speech, and was also unsure of the text. Source: Whisper's own rule."""
        return (
            confidence.no_speech_probability > self.no_speech_probability
            and confidence.average_log_probability < self.low_log_probability
        )

    def is_improbable(self, probability: float) -> bool:
        """Whether words are unsure by their probability."""
        return probability < self.unsure_word_probability

    def is_impossibly_fast(self, words: Sequence[Word]) -> bool:
        """Whether words have next to no time."""
        chars = sum(len(word.text) for word in words)
        duration_s = sum(max(word.end_s - word.start_s, 0.0) for word in words)
        return chars >= FEW_CHARS and chars > self.max_chars_per_s * duration_s
