"""When a model counts as unsure."""

import pytest

from podjobs.contract.confidence import SURE, WHISPER_LIMITS, Confidence, ConfidenceLimits

LIMITS = ConfidenceLimits(log_probability=-0.6, compression_ratio=4.0, no_speech_probability=0.4)


@pytest.mark.parametrize(
    ("confidence", "unsure"),
    [
        (SURE, False),
        (Confidence(compression_ratio=2.4, average_log_probability=-1.0), False),  # at the limits
        (Confidence(compression_ratio=8.0), True),
        (Confidence(average_log_probability=-1.4), True),
        (Confidence(no_speech_probability=1.0), False),  # counts together with other measures only
    ],
)
def test_is_unsure_by_whispers_own_limits(confidence, unsure):
    assert confidence.is_unsure() == confidence.is_unsure(WHISPER_LIMITS) == unsure


@pytest.mark.parametrize(
    ("confidence", "unsure"),
    [
        (Confidence(0.4, -0.6, 4.0), False),
        (Confidence(no_speech_probability=0.41), True),
        (Confidence(average_log_probability=-0.61), True),
        (Confidence(compression_ratio=4.1), True),
    ],
)
def test_is_unsure_one_limit_crossed_is_enough(confidence, unsure):
    assert confidence.is_unsure(LIMITS) == unsure
