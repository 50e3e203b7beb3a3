"""How sure a speech model was of a text, and beyond which limits it counts as unsure: defined only here. Pure."""

import math
from dataclasses import dataclass

NO_SPEECH_PROBABILITY = 0.6
"""Above this, together with a low log probability, the model heard no speech. Source: Whisper's defaults."""


@dataclass(frozen=True)
class ConfidenceLimits:
    """The limits beyond which a model counts as unsure of a text; crossing one is enough."""

    log_probability: float
    """Unsure below."""
    compression_ratio: float
    """Unsure above."""
    no_speech_probability: float = math.inf
    """Unsure above."""


WHISPER_LIMITS = ConfidenceLimits(log_probability=-1.0, compression_ratio=2.4)
"""Whisper's own: beyond them it transcribes again at another temperature. Source: Whisper's defaults."""


@dataclass(frozen=True)
class Confidence:
    """A model's own measures of a text."""

    no_speech_probability: float = 0.0
    average_log_probability: float = 0.0
    """Natural logarithm, per token; the nearer to 0, the surer."""
    compression_ratio: float = 1.0
    """Of the text: high where it repeats itself."""

    def is_unsure(self, limits: ConfidenceLimits = WHISPER_LIMITS) -> bool:
        """Whether the model was unsure of the text, or the text repeats itself too much."""
        return (
            self.no_speech_probability > limits.no_speech_probability
            or self.average_log_probability < limits.log_probability
            or self.compression_ratio > limits.compression_ratio
        )


SURE = Confidence()
"""Without any doubt."""
