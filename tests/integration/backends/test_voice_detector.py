"""Silero VAD itself: speech after music or a steady noise is found."""

import time

import numpy as np
import pytest
from faster_whisper.vad import get_vad_model

from podjobs.backends.voice_detector import VAD_FRAME_SAMPLES, detect_voice
from podjobs.contract.ports.speech import SOUND_HZ
from podjobs.transcription.hearing.vad import find_speech
from support.media import ffmpeg
from support.speech import NO_SPEECH, speak

BEFORE_S = 36


def loud(samples, dbfs):
    return samples * np.float32(10 ** (dbfs / 20) / np.sqrt((samples**2).mean()))


@pytest.fixture(scope="module")
def question(tmp_path_factory):
    return read(speak(tmp_path_factory.mktemp("question") / "question.wav", "Are there any questions?", voice="slt"))


def read(path):
    return np.frombuffer(path.read_bytes()[44:], "<i2").astype(np.float32) / 32_768


@pytest.mark.parametrize(("kind", "dbfs"), [("music", -20), ("tone", -20), ("pink noise", -35)])
def test_detect_voice_after_music_or_noise_speech_is_found(tmp_path, question, kind, dbfs):
    path = tmp_path / "before.wav"
    ffmpeg("-f", "lavfi", "-t", BEFORE_S, "-i", NO_SPEECH[kind], "-bitexact", "-ar", SOUND_HZ, path)
    samples = np.concatenate([loud(read(path), dbfs), loud(question, -36)])

    spans = find_speech(detect_voice(samples, get_vad_model()), 0.5)

    question_s = question.size / SOUND_HZ
    found_s = sum(span.end_s - max(span.start_s, BEFORE_S) for span in spans if span.end_s > BEFORE_S)
    assert found_s > 0.35 * question_s
    assert sum(span.length_s for span in spans) - found_s < 1


def test_detect_voice_costs_at_most_three_times_what_listening_once_costs(question):
    samples = np.resize(question, 60 * SOUND_HZ // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES)
    model = get_vad_model()

    def cost_s(listen):
        begun_s = time.thread_time()
        listen()
        return time.thread_time() - begun_s

    once_s = min(cost_s(lambda: model(samples.copy())) for _ in range(5))
    afresh_s = min(cost_s(lambda: detect_voice(samples, model)) for _ in range(5))
    assert afresh_s <= 3 * once_s
