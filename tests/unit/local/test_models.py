"""A model for a look, or a word on how to get one."""

import json
from pathlib import Path

import pytest

from local.models import ModelError, installed_models


@pytest.mark.parametrize("language", ["en", "English", "en-GB"])
def test_installed_models_english_comes_with_a_package(language):
    place = json.loads(installed_models(language))["WHISPER"]["en"]["model"]
    assert (Path(place) / "model.bin").is_file()


@pytest.mark.parametrize("language", ["fr", "auto"])
def test_installed_models_another_language_says_how_to_get_one(language):
    with pytest.raises(ModelError, match="TRANSCRIPTION_MODEL_PARAM names one") as refused:
        installed_models(language)
    assert f'{{"WHISPER": {{"{language}"' in str(refused.value)


def test_installed_models_unknown_language_is_named():
    with pytest.raises(ModelError, match="'klingon' is not known"):
        installed_models("klingon")
