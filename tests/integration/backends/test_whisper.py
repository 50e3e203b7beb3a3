"""The real model, without anything around it: what is heard is told of the passage it was heard in."""

import subprocess
from itertools import count

import pytest

from podjobs.backends.whisper import is_unsure, text_to_go_on_from
from podjobs.contract.ports import SOUND_BYTES_PER_S, Heard, HeardWord, ModelPlace
from support.speech import LECTURE, error_rate, speak
from support.transcriber import MODEL, warm_model

FRAMES_PER_S = 100
FRAME_BYTES = SOUND_BYTES_PER_S // FRAMES_PER_S
PLACE = ModelPlace(MODEL)


def samples_of(path):
    argv = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-"]
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout


def awkward_frames(at_least):
    """A number of frames that comes out as one less when it goes through seconds, as 2.26 × 100 is 225.99 in floats."""
    return next(frames for frames in count(at_least) if int(frames / FRAMES_PER_S * FRAMES_PER_S) < frames)


@pytest.fixture(scope="module")
def passages(tmp_path_factory):
    """Sentences, all of which but the first begin at an awkward time."""
    folder = tmp_path_factory.mktemp("passages")
    padded, begin = [], 0
    for number, text in enumerate(LECTURE[:4]):
        sound = samples_of(speak(folder / f"{number}.wav", text))
        end = awkward_frames(begin + len(sound) // FRAME_BYTES + 1)
        padded.append(sound.ljust((end - begin) * FRAME_BYTES, b"\0"))
        begin = end
    return padded


@pytest.mark.parametrize("batch", [1, 2, 4], ids="batch of {}".format)
@pytest.mark.parametrize("thorough", [False, True], ids=["batches", "thorough"])
def test_listen_tells_the_words_of_each_passage(passages, batch, thorough):
    heard = warm_model(batch=batch).listen(PLACE, passages, "en", thorough=thorough)

    assert len(heard) == len(passages)
    for text, sound, one in zip(LECTURE, passages, heard, strict=False):
        assert error_rate(text, "".join(word.text for word in one.words)) < 0.3
        assert 0 <= one.words[0].start_s < 0.5
        assert one.words[-1].end_s <= len(sound) / SOUND_BYTES_PER_S


def test_listen_to_silence_among_speech_shifts_nothing(passages):
    silence = bytes(2 * SOUND_BYTES_PER_S)
    heard = warm_model(batch=4).listen(PLACE, [passages[0], silence, passages[1]], "en", thorough=False)
    assert error_rate(LECTURE[0], "".join(word.text for word in heard[0].words)) < 0.3
    assert error_rate(LECTURE[1], "".join(word.text for word in heard[2].words)) < 0.3


def said(text, **doubts):
    return Heard(tuple(HeardWord(f" {word}", 0, 1, 1) for word in text.split()), **doubts)


LOOP = said("the the the", compression_ratio=8.0)
GUESS = said("gross word", average_log_probability=-1.4)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ([], ""),
        ([said("The king's cook."), said("He left.")], "The king's cook. He left."),
        ([said("One."), LOOP, GUESS, Heard(())], "One."),
        ([LOOP], ""),
        ([said("words " * 90)], " ".join(["words"] * 66)),
        ([said("字" * 500)], "字" * 400),
    ],
)
def test_text_to_go_on_from_is_what_the_model_was_sure_of(before, text):
    assert text_to_go_on_from(before) == text


@pytest.mark.parametrize(("heard", "unsure"), [(said("Sure."), False), (LOOP, True), (GUESS, True), (Heard(()), False)])
def test_is_unsure_goes_by_whispers_own_limits(heard, unsure):
    assert is_unsure(heard) == unsure
