"""What is wrong with the models is told at the start, with the remedy; what is right is loaded."""

from pathlib import Path

import pytest

from podjobs.backends.whisper import WhisperModels, WhisperOptions
from podjobs.contract.errors import PermanentError
from podjobs.contract.ports.speech import ModelLocation
from podjobs.transcription.model_check import describe_languages, find_model_faults
from support.transcriber import MODEL

TINY = ModelLocation(MODEL)


def faults_of(models):
    return find_model_faults(models, WhisperModels(WhisperOptions(device="cpu")))


def test_find_model_faults_good_model_has_none():
    assert faults_of({"en": TINY}) == ()


def test_find_model_faults_each_is_told_with_the_remedy(tmp_path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in Path(MODEL).iterdir():
        (damaged / file.name).write_bytes(file.read_bytes()[:100_000])
    models = {"fr": TINY, "en": ModelLocation("/nowhere/model"), "klingon": TINY, "it": ModelLocation(str(damaged))}

    unknown, english, missing, broken = faults_of(models)

    assert "entry for 'klingon', which Whisper does not know as a language" in unknown
    assert "for 'fr' supports only English" in english
    assert "'/nowhere/model', which does not exist" in missing
    assert "damaged" in broken


def test_find_model_faults_model_to_be_downloaded_is_not_downloaded(tmp_path):
    assert faults_of({"auto": ModelLocation("large-v3", str(tmp_path))}) == ()
    assert list(tmp_path.rglob("*")) == []


def test_model_by_a_relative_path_is_refused_with_the_absolute_one(tmp_path, monkeypatch):
    (tmp_path / "models" / "small").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PermanentError, match=f"by a relative path. .* such as '{tmp_path}/models/small'"):
        WhisperModels(WhisperOptions(device="cpu")).is_here(ModelLocation("models/small"))


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        ({"en": TINY, "fr": TINY}, "Only videos in these languages can be transcribed: en, fr. To accept others"),
        ({"en": TINY, "auto": TINY}, "Videos in every language that Whisper knows can be transcribed."),
    ],
    ids=["listed", "auto"],
)
def test_describe_languages(models, sentence):
    assert describe_languages(models).startswith(sentence)
