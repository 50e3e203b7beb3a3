"""The real model, without anything around it: words belong to the window they were heard in."""

import subprocess
from itertools import count

import pytest

from podjobs.backends.whisper import make_prompt
from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import SOUND_BYTES_PER_S, ModelLocation, WindowTranscript, Word
from support.speech import LECTURE, error_rate, speak
from support.transcriber import MODEL, warm_model

FRAMES_PER_S = 100
FRAME_BYTES = SOUND_BYTES_PER_S // FRAMES_PER_S
LOCATION = ModelLocation(MODEL)


def samples_of(path):
    argv = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-"]
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout


def awkward_frames(at_least):
    """A number of frames that comes out as one less when it goes through seconds, as 2.26 × 100 is 225.99 in floats."""
    return next(frames for frames in count(at_least) if int(frames / FRAMES_PER_S * FRAMES_PER_S) < frames)


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    """Sentences, all of which but the first begin at an awkward time."""
    folder = tmp_path_factory.mktemp("windows")
    padded, begin = [], 0
    for number, text in enumerate(LECTURE[:4]):
        sound = samples_of(speak(folder / f"{number}.wav", text))
        end = awkward_frames(begin + len(sound) // FRAME_BYTES + 1)
        padded.append(sound.ljust((end - begin) * FRAME_BYTES, b"\0"))
        begin = end
    return padded


@pytest.mark.parametrize("batch", [1, pytest.param(2, marks=pytest.mark.slow), 4], ids="batch of {}".format)
@pytest.mark.parametrize("thorough", [False, True], ids=["batches", "thorough"])
def test_transcribe_returns_the_words_of_each_window(windows, batch, thorough):
    transcripts = warm_model(batch=batch).transcribe(LOCATION, windows, "en", thorough=thorough)

    assert len(transcripts) == len(windows)
    for text, sound, transcript in zip(LECTURE, windows, transcripts, strict=False):
        assert error_rate(text, "".join(word.text for word in transcript.words)) < 0.3
        assert 0 <= transcript.words[0].start_s < 0.5
        assert transcript.words[-1].end_s <= len(sound) / SOUND_BYTES_PER_S


def test_transcribe_silence_among_speech_shifts_nothing(windows):
    silence = bytes(2 * SOUND_BYTES_PER_S)
    transcripts = warm_model(batch=4).transcribe(LOCATION, [windows[0], silence, windows[1]], "en", thorough=False)
    assert error_rate(LECTURE[0], "".join(word.text for word in transcripts[0].words)) < 0.3
    assert error_rate(LECTURE[1], "".join(word.text for word in transcripts[2].words)) < 0.3


def said(text, **measures):
    return WindowTranscript(tuple(Word(f" {word}", 0, 1) for word in text.split()), Confidence(**measures))


REPETITION = said("the the the", compression_ratio=8.0)
GUESS = said("gross word", average_log_probability=-1.4)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ([], ""),
        ([said("The king's cook."), said("He left.")], "The king's cook. He left."),
        ([said("One."), REPETITION, GUESS, WindowTranscript(())], "One."),
        ([REPETITION], ""),
        ([said("words " * 90)], " ".join(["words"] * 66)),
        ([said("字" * 500)], "字" * 400),
    ],
)
def test_make_prompt_of_what_the_model_was_sure_of(before, text):
    assert make_prompt(before) == text


@pytest.mark.parametrize(
    ("transcript", "unsure"),
    [(said("Sure."), False), (REPETITION, True), (GUESS, True), (WindowTranscript(()), False)],
)
def test_is_unsure_goes_by_whispers_own_limits(transcript, unsure):
    assert transcript.confidence.is_unsure() == unsure
