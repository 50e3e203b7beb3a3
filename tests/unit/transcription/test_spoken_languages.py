"""Which language is spoken, and what is told of it."""

from podjobs.contract.ports.speech import ModelLocation, WindowTranscript, Word
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.interpreter import Assignment, Interpreter, runs_of, speech_in
from podjobs.transcription.spans import TimeSpan
from podjobs.transcription.spoken_languages import add_up, describe_others, tell_other_languages

MODELS = {"auto": ModelLocation("base")}


class Babel:
    """A model that hears which language is spoken in a sound that consists of its code, and writes in any other."""

    def __init__(self, probability=0.95):
        self.calls = []
        self._probability = probability

    def transcribe(self, _location, windows, language, *, thorough, translate=False, hotwords=""):
        self.calls.append((language, [sound.decode() for sound in windows], thorough, hotwords))
        written = "en" if translate else language
        return tuple(
            WindowTranscript((Word(f" {written}", 0, 1),), spoken=sound.decode(), spoken_probability=self._probability)
            for sound in windows
        )


def windows_of(count, length_s=20.0):
    return [Window((TimeSpan(30.0 * number, 30.0 * number + length_s),)) for number in range(count)]


def interpret(spoken, assignment, probability=0.95, models=MODELS, length_s=20.0):
    model = Babel(probability)
    interpreter = Interpreter(model, models, assignment)
    sounds = [language.encode() for language in spoken]
    transcripts = interpreter.transcribe(windows_of(len(spoken), length_s), sounds, thorough=False)
    return "".join(transcript.words[0].text for transcript in transcripts).split(), interpreter, model


def test_open_language_each_window_is_written_in_the_one_that_is_spoken():
    written, interpreter, model = interpret(["en", "en", "fr", "fr"], Assignment("en", is_open=True))
    assert written == ["en", "en", "fr", "fr"]
    # what differs is transcribed again, and nothing else
    assert [call[:2] for call in model.calls] == [("en", ["en", "en", "fr", "fr"]), ("fr", ["fr", "fr"])]
    assert [interpreter.language_at(time_s) for time_s in (0.0, 59.0, 60.0, 500.0)] == ["en", "en", "fr", "fr"]
    assert runs_of([1.0, 31.0, 61.0, 91.0, 92.0], interpreter) == [("en", 2), ("fr", 3)]


def test_open_language_second_hearing_keeps_the_languages_of_the_first():
    _, interpreter, model = interpret(["en", "fr"], Assignment("en", is_open=True))
    again = [Window((TimeSpan(5, 8),)), Window((TimeSpan(35, 38),))]
    interpreter.transcribe(again, [b"ja", b"ja"], thorough=True)
    assert [(call[0], call[2]) for call in model.calls[2:]] == [("en", True), ("fr", True)]


def test_asked_language_is_kept_whatever_is_spoken_and_that_is_told():
    written, interpreter, model = interpret(["en", "en", "fr"], Assignment("fr", hotwords="Galois"))
    assert written == ["fr", "fr", "fr"]
    assert model.calls == [("fr", ["en", "en", "fr"], False, "Galois")]
    assert describe_others(interpreter.heard, "fr") == [
        "English is spoken from 0.0 s to 50.0 s (95% sure), transcribed as French."
    ]
    assert speech_in(interpreter.heard, "fr") == {"en": 40.0, "fr": 20.0}


def test_translation_is_in_english_whatever_is_spoken():
    written, interpreter, model = interpret(["fr", "de"], Assignment("fr", translate=True))
    assert written == ["en", "en"]
    assert [call[0] for call in model.calls] == ["fr"]
    assert runs_of([1.0, 31.0], interpreter) == [("en", 2)]
    # what is told is about what is spoken
    assert [interpreter.language_at(time_s) for time_s in (0.0, 30.0)] == ["fr", "fr"]


def test_language_that_is_not_clear_or_of_a_short_window_is_that_of_the_job():
    assert interpret(["fr"], Assignment("en", is_open=True), probability=0.79)[0] == ["en"]
    assert interpret(["fr"], Assignment("en", is_open=True), length_s=4.9)[0] == ["en"]


def test_language_without_a_model_or_unknown_is_that_of_the_job():
    only = {"en": ModelLocation("small"), "fr": ModelLocation("small")}
    assert interpret(["de", "fr", ""], Assignment("en", is_open=True), models=only)[0] == ["en", "fr", "en"]


def test_tell_other_languages_says_what_to_do():
    assert tell_other_languages("fr", {"en": 40.0, "fr": 20.0}) == (
        "English seems to be spoken in 40 of 60 s of speech, but captions in French were asked for, and are likely to "
        "be wrong there. If they are, choose English for the transcription of this video in Pod."
    )


def test_tell_other_languages_a_quotation_is_none():
    assert tell_other_languages("fr", {"en": 14.9, "fr": 600.0}) == ""
    assert tell_other_languages("fr", {"fr": 600.0}) == ""
    assert tell_other_languages("fr", {}) == ""


def test_tell_other_languages_of_a_short_sound_half_of_it_is_enough():
    assert "English seems" in tell_other_languages("fr", {"en": 6.0, "fr": 6.0})


def test_add_up_of_parts_and_of_those_that_tell_nothing():
    assert add_up([{"spoken_s": {"en": 2.0}}, {}, {"spoken_s": {"en": 1.0, "fr": 4.0}}]) == {"en": 3.0, "fr": 4.0}
