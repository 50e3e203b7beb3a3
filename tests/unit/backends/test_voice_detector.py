"""The voice detector listens afresh: what it stops hearing after a while is heard by a fresh look."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.backends.voice_detector import (
    FRESH_FRAMES,
    SETTLING_FRAMES,
    VAD_FRAME_SAMPLES,
    detect_voice,
    fresh_looks,
)


def test_fresh_looks_last_eight_seconds_and_begin_every_six():
    assert list(fresh_looks(0)) == []
    assert list(fresh_looks(188 + 31)) == []  # what is left settles only
    assert list(fresh_looks(188 + 32)) == [(188, 219, 220)]
    assert list(fresh_looks(500)) == [(188, 219, 438), (376, 407, 500)]


@given(st.integers(0, 20_000))
def test_fresh_looks_every_frame_is_in_reach_of_a_state_that_is_fresh(frames):
    heard = np.zeros(frames, bool)
    heard[:FRESH_FRAMES] = True  # by whoever listens to the whole
    for first, counts_from, end in fresh_looks(frames):
        assert counts_from - first == SETTLING_FRAMES
        assert end - first <= FRESH_FRAMES
        heard[counts_from:end] = True
    assert heard.all()


def loudness(samples):
    """A detector without a memory."""
    return samples.reshape(-1, VAD_FRAME_SAMPLES).max(1, keepdims=True)


def deaf_after(frames):
    """A detector that hears nothing after a while; it spoils what it is given, as Silero VAD does."""

    def detector(samples):
        probabilities = loudness(samples)
        probabilities[frames:] = 0
        samples[:] = 9
        return probabilities

    return detector


def test_detect_voice_detector_goes_deaf_speech_is_heard_all_the_same():
    samples = np.full(60 * 16_000, 0.9, np.float32)
    assert (detect_voice(samples, deaf_after(FRESH_FRAMES)) == np.float32(0.9)).all()


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (512, 1), (513, 2), (160_001, 313)])
def test_detect_voice_has_one_probability_for_every_frame_begun(samples, frames):
    assert len(detect_voice(np.ones(samples, np.float32), loudness)) == frames


def test_detect_voice_that_begins_afresh_is_ignored_while_it_settles():
    def startled(samples):
        """Takes whatever comes first for speech."""
        probabilities = loudness(samples)
        probabilities[:SETTLING_FRAMES] = 1
        return probabilities

    probabilities = detect_voice(np.zeros(30 * 16_000, np.float32), startled)
    assert (probabilities[:SETTLING_FRAMES] == 1).all()
    assert not probabilities[SETTLING_FRAMES:].any()
