"""What is told of the language that is spoken, and in which one it is written. The real model, which knows only
English, is said to have heard French: a model that can hear it is not at hand in tests."""

from dataclasses import replace

import pytest

from support.captions import text_of
from support.speech import LECTURE, error_rate
from support.transcriber import MODEL, warm_model

ANY_LANGUAGE = {"WHISPER": {"auto": {"model": MODEL}}}


class SaysFrench:
    """The real model, except for which language it says it has heard."""

    def __init__(self, detected):
        self._model, self._detected = warm_model(), detected
        self.languages = []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def is_multilingual(self, _location):
        return True

    def detect_language(self, _location, _sound):
        return {self._detected: 1.0}

    def transcribe(self, location, windows, language, **how):
        self.languages.append(language)
        transcripts = self._model.transcribe(location, windows, language, **how)
        return tuple(replace(transcript, spoken="fr", spoken_probability=0.97) for transcript in transcripts)


def transcribe(make_transcriber, lecture, lang, detected="en"):
    transcriber = make_transcriber(SaysFrench(detected), transcription_model_param=ANY_LANGUAGE)
    (transcriber.folder / lecture.name).write_bytes(lecture.read_bytes())
    captions = transcriber.transcribe(lecture.name, lang=lang)
    _, values = transcriber.run.results["captions"]
    return captions, values["message"], transcriber


@pytest.mark.slow
def test_language_that_was_asked_for_stays_and_pod_is_told_of_the_other(make_transcriber, lecture):
    captions, message, transcriber = transcribe(make_transcriber, lecture, "en")
    assert set(transcriber.model.languages) == {"en"}
    assert "French seems to be spoken in " in message
    assert "choose French for the transcription of this video in Pod" in message
    assert any(", transcribed as English." in line for line in transcriber.run.log)
    assert error_rate(" ".join(LECTURE), text_of(captions)) < 0.15


def test_language_that_was_left_open_is_that_of_each_passage(make_transcriber, lecture):
    captions, message, transcriber = transcribe(make_transcriber, lecture, "auto")
    assert transcriber.model.languages[:2] == ["en", "fr"]
    assert "(fr)" in message
    assert "seems to be spoken" not in message
    assert any(", transcribed in it." in line for line in transcriber.run.log)
    # as French is typeset
    assert "short break\u202f?" in text_of(captions)
