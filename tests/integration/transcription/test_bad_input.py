"""Bad input: a clear error each, that names the file or the setting and what to do."""

import shutil
from pathlib import Path

import pytest

from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.errors import InvalidRequestError, PermanentError, RetryableError
from podjobs.contract.plans import StepSpec
from podjobs.contract.ports.speech import ModelLocation
from support.captions import text_of
from support.media import ffmpeg, make_video
from support.speech import LECTURE, NO_SPEECH, WER, error_rate, join
from support.transcriber import MODEL, warm_model


def fresh_model():
    return WhisperModels(WhisperOptions(device="cpu"))


def test_plan_missing_file_is_waited_for(transcriber):
    """A shared folder may show it late."""
    with pytest.raises(RetryableError, match=r"0007/none.mp3' is not there"):
        transcriber.plan("none.mp3")


def test_plan_empty_file(transcriber):
    (transcriber.folder / "empty.mp3").touch()
    with pytest.raises(PermanentError, match=r"0007/empty.mp3' is empty \(0 bytes\)"):
        transcriber.plan("empty.mp3")


def test_plan_text_file(transcriber):
    (transcriber.folder / "text.mp3").write_text("This is no sound.\n" * 100)
    with pytest.raises(PermanentError, match=r"text.mp3' is not a media file"):
        transcriber.plan("text.mp3")


def test_plan_playlist_is_not_followed(transcriber):
    (transcriber.folder / "list.mp3").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    with pytest.raises(PermanentError, match=r"list.mp3'"):
        transcriber.plan("list.mp3")


def test_plan_video_without_sound(transcriber):
    make_video(transcriber.folder / "mute.mp4", duration_s=2, sound=False)
    with pytest.raises(PermanentError, match=r"mute.mp4' has no audio stream"):
        transcriber.plan("mute.mp4")


def test_plan_sound_without_a_packet(transcriber):
    ffmpeg("-f", "lavfi", "-i", NO_SPEECH["tone"], "-t", 0, transcriber.folder / "none.wav")
    with pytest.raises(PermanentError, match=r"none.wav"):
        transcriber.plan("none.wav")


@pytest.mark.slow
def test_transcribe_duration_that_lies_changes_nothing(transcriber, lecture):
    """Pod's number is a hint; the file is measured."""
    shutil.copy(lecture, transcriber.folder / "a.mp3")
    assert error_rate(" ".join(LECTURE), text_of(transcriber.transcribe("a.mp3", duration=999_999))) < WER


def test_transcribe_cut_off_file_is_transcribed_as_far_as_it_goes(transcriber, lecture):
    content = lecture.read_bytes()
    (transcriber.folder / "cut.mp3").write_bytes(content[: len(content) // 2])
    assert text_of(transcriber.transcribe("cut.mp3")).startswith("Good morning")


@pytest.mark.slow
def test_transcribe_damaged_middle_keeps_what_is_around_it(transcriber, lecture):
    content = bytearray(lecture.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
    (transcriber.folder / "damaged.mp3").write_bytes(content)
    text = text_of(transcriber.transcribe("damaged.mp3"))
    assert text.startswith("Good morning")
    assert text.endswith("listening.")


@pytest.mark.parametrize("lang", ["xx", "", "english please"])
def test_plan_unknown_language(transcriber, lang):
    (transcriber.folder / "any.mp3").touch()
    with pytest.raises(PermanentError, match=r"is not known\. Choose another one"):
        transcriber.plan("any.mp3", lang=lang)


def test_plan_language_without_a_model(transcriber):
    (transcriber.folder / "any.mp3").touch()
    with pytest.raises(PermanentError, match="no model for the language 'fr': TRANSCRIPTION_MODEL_PARAM lists en"):
        transcriber.plan("any.mp3", lang="fr")


def test_plan_english_model_for_another_language(make_transcriber):
    transcriber = make_transcriber(transcription_model_param={"WHISPER": {"fr": {"model": MODEL}}})
    (transcriber.folder / "any.mp3").touch()
    with pytest.raises(PermanentError, match="for 'fr' supports only English"):
        transcriber.plan("any.mp3", lang="fr")


def test_model_folder_that_does_not_exist_is_refused():
    with pytest.raises(PermanentError, match=r"TRANSCRIPTION_MODEL_PARAM names the folder '/nowhere/model'"):
        fresh_model().is_multilingual(ModelLocation("/nowhere/model"))


def test_unknown_model_is_refused():
    with pytest.raises(
        PermanentError, match="names the model 'huge', which is neither a folder nor one of Whisper's models"
    ):
        fresh_model().is_multilingual(ModelLocation("huge"))


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json", "config.json", "vocabulary.txt"])
def test_model_folder_without_one_of_its_files_is_refused(tmp_path, missing):
    for file in Path(MODEL).iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(
        PermanentError, match=f"contains no {missing.replace('vocabulary.txt', 'vocabulary.json or voc')}"
    ):
        fresh_model().is_multilingual(ModelLocation(str(tmp_path)))


@pytest.mark.parametrize("damaged", ["model.bin", "tokenizer.json"])
def test_model_folder_with_a_damaged_file_is_refused(tmp_path, damaged):
    for file in Path(MODEL).iterdir():
        if file.name != damaged:
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / damaged).write_bytes((Path(MODEL) / damaged).read_bytes()[:100_000])
    with pytest.raises(PermanentError, match="damaged"):
        fresh_model().is_multilingual(ModelLocation(str(tmp_path)))


def test_model_in_the_download_root_is_found(tmp_path):
    (tmp_path / "my-model").symlink_to(MODEL)
    assert fresh_model().is_multilingual(ModelLocation("my-model", str(tmp_path))) is False


def test_report_leaves_an_empty_caption_file(transcriber):
    run = transcriber.start(transcriber.job("none.mp3")).report_failure(PermanentError("No."))
    assert (transcriber.root / run.job.captions).read_text() == "WEBVTT\n"
    assert run.results["report"][1]["published_at"] > 0


def test_discard_takes_everything_away(transcriber, lecture):
    shutil.copy(lecture, transcriber.folder / "a.mp3")
    run, plan = transcriber.plan("a.mp3")
    run.perform_step(plan.stages[0].steps[0])
    run.perform_step(StepSpec(id="discard", function="transcription", action="discard"))
    assert not (transcriber.root / "work").exists()


def test_perform_unknown_action_is_refused(transcriber):
    spec = StepSpec(id="x", function="transcription", action="dance")
    with pytest.raises(InvalidRequestError, match="no action 'dance'"):
        transcriber.start(transcriber.job("a.mp3")).perform_step(spec)


class Polyglot:
    """The real model, with a knowledge of languages that tiny.en does not have."""

    def __init__(self, *votes):
        self._model, self._votes, self.asked = warm_model(), list(votes), []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def is_multilingual(self, location):
        return location.model == "many"

    def detect_language(self, location, sound):
        self.asked.append((location.model, len(sound) / 32_000))
        return self._votes[min(len(self.asked), len(self._votes)) - 1]


def test_plan_auto_detects_the_language_from_speech_alone_in_several_places(make_transcriber, lecture):
    model = Polyglot({"de": 0.9, "fr": 0.1}, {"fr": 0.8, "de": 0.2})
    param = {"WHISPER": {"en": {"model": MODEL}, "auto": {"model": "many"}}}
    transcriber = make_transcriber(model, transcription_model_param=param)
    noise = (NO_SPEECH["pink noise"], 30)
    join(transcriber.folder / "a.mp3", noise, lecture, noise, lecture)

    _, plan = transcriber.plan("a.mp3", lang="auto")

    assert plan.shared["language"] == "fr"
    assert {name for name, _ in model.asked} == {"many"}
    assert len(model.asked) >= 2
    assert all(length_s < 30 for _, length_s in model.asked)
    assert "detected as 'fr'" in plan.log[0]


def test_plan_auto_with_an_english_model_alone_is_english(transcriber, lecture):
    shutil.copy(lecture, transcriber.folder / "a.mp3")
    _, plan = transcriber.plan("a.mp3", lang="auto")
    assert plan.shared["language"] == "en"


def test_plan_auto_without_a_model_that_can_tell_languages_apart_is_refused(make_transcriber, lecture):
    param = {"WHISPER": {"en": {"model": MODEL}, "fr": {"model": MODEL}}}
    transcriber = make_transcriber(transcription_model_param=param)
    shutil.copy(lecture, transcriber.folder / "a.mp3")
    with pytest.raises(PermanentError, match=r"can tell languages apart\. Choose the language of this video in Pod"):
        transcriber.plan("a.mp3", lang="auto")
