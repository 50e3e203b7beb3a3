"""Captions for runner clients: sound from a web server, an info_video.json beside them, English if it is asked for."""

import json
import uuid

import pytest

from podjobs.backends.http_fetch import HttpFetcher
from podjobs.contract.errors import PermanentError
from podjobs.contract.jobs import RemoteFile, TranscriptionJob
from podjobs.contract.ports.speech import ModelLocation
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.runner_places import result_folder, source_folder
from podjobs.contract.web_hosts import HostRules
from podjobs.encoding.settings import EncodingSettings
from podjobs.fetching.function import FetchFunction
from podjobs.testing import JobRun
from support.media import ffmpeg
from support.media_storages import POD_ROOT
from support.transcriber import MODEL, warm_model
from support.video_web import VideoWeb

MANY = {"WHISPER": {"auto": {"model": "many"}}}


class Interpreter:
    """The real model, which is said to know languages that tiny.en does not know; notes what it is asked for."""

    def __init__(self, spoken):
        self._model, self._spoken, self.asked = warm_model(), spoken, []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def is_multilingual(self, _location):
        return True

    def detect_language(self, _location, _sound):
        return {self._spoken: 1.0}

    def transcribe(self, _location, windows, language, *, thorough, translate=False, hotwords=""):
        assert not hotwords
        self.asked.append((language, translate))
        return self._model.transcribe(ModelLocation(MODEL), windows, "en", thorough=thorough)


@pytest.fixture
def web():
    with VideoWeb().serving() as web:
        yield web


@pytest.fixture
def perform(make_transcriber, web):
    """Transcribe a sound that a web server has; returns the transcriber, and the job's run."""

    def transcribe(sound, model=None, *, language="en", translate=False, **settings):
        transcriber = make_transcriber(model, **settings)
        job_id = str(uuid.uuid4())
        url = web.put("/talk.mp3", sound.read_bytes())
        remote = RemoteFile(url=url, key=f"{source_folder(job_id)}/talk.mp3")
        folder = result_folder(job_id)
        job = TranscriptionJob(
            id=job_id, target="runner:pod:3", reply_to=RunnerCallback(client="pod", dialect="v4"), fetch=(remote,),
            source=remote.key, captions=f"{folder}/talk.vtt", info=f"{folder}/info_video.json",
            language=language, translate=translate,
        )  # fmt: skip
        rules = HostRules(private=("127.0.0.0/8",))
        fetch = FetchFunction(lambda: HttpFetcher(rules), transcriber.storage, EncodingSettings(media_root=POD_ROOT))
        transcriber.run = JobRun(job, {"encoding": fetch, "transcription": transcriber}, concurrency=2)
        return transcriber, transcriber.run

    return transcribe


def test_captions_and_their_info_are_the_whole_result(perform, sentences):
    transcriber, run = perform(sentences[0])
    run.run()
    folder = transcriber.root / result_folder(run.job.id)
    assert {path.name for path in folder.iterdir()} == {"talk.vtt", "info_video.json"}
    assert "-->" in (folder / "talk.vtt").read_text(encoding="utf-8")
    info = json.loads((folder / "info_video.json").read_text(encoding="utf-8"))
    assert info["duration"] >= 1
    assert info["transcription"]["final_subtitle_language"] == "en"
    assert info["transcription"]["translation"]["applied"] is False
    assert {path.name for path in (transcriber.root / "runner" / run.job.id).iterdir()} == {"result"}


@pytest.mark.parametrize("language", ["fr", "auto"])
def test_speech_of_another_language_is_translated_into_english_if_asked(perform, sentences, language):
    model = Interpreter("fr")
    transcriber, run = perform(sentences[0], model, language=language, translate=True, transcription_model_param=MANY)
    run.run()
    assert set(model.asked) == {("fr", True)}
    info = json.loads((transcriber.root / run.job.info).read_text(encoding="utf-8"))
    languages = info["transcription"]
    assert (languages["detected_source_language"], languages["final_subtitle_language"]) == ("fr", "en")
    assert languages["translation"]["applied"] is True
    assert "The captions are translated into English." in run.log


@pytest.mark.slow
def test_speech_that_is_english_already_is_not_translated(perform, sentences):
    model = Interpreter("en")
    _, run = perform(sentences[0], model, language="auto", translate=True, transcription_model_param=MANY)
    run.run()
    assert set(model.asked) == {("en", False)}


@pytest.mark.parametrize("name", ["large-v3-turbo", "/models/distil-large-v3"])
def test_model_that_cannot_translate_is_refused(perform, sentences, name):
    param = {"WHISPER": {"auto": {"model": name}}}
    _, run = perform(sentences[0], Interpreter("fr"), language="fr", translate=True, transcription_model_param=param)
    with pytest.raises(PermanentError, match="cannot translate into English"):
        run.run()


@pytest.mark.slow
def test_model_takes_the_wish_to_translate(sentences, tmp_path):
    """An English model has nothing to translate, but is asked in the same way."""
    raw = tmp_path / "sound.raw"
    ffmpeg("-i", sentences[0], "-f", "s16le", "-ac", 1, "-ar", 16_000, raw)
    for thorough in (False, True):
        (found,) = warm_model().transcribe(
            ModelLocation(MODEL), [raw.read_bytes()], "en", thorough=thorough, translate=True
        )
        assert found.words
