"""Languages are understood, and each gets its model."""

import pytest

from podjobs.contract.errors import PermanentError
from podjobs.contract.ports.speech import ModelLocation
from podjobs.transcription.languages import choose_language, choose_model, read_language

FRENCH, ENGLISH, ANY = ModelLocation("/models/fr"), ModelLocation("small.en"), ModelLocation("large-v3", "/models")


@pytest.mark.parametrize(
    ("text", "code"),
    [("fr", "fr"), ("FR", "fr"), (" en ", "en"), ("french", "fr"), ("pt-BR", "pt"), ("zh_TW", "zh"), ("auto", "auto"),
     ("Castilian", "es"), ("yue", "yue")],
)  # fmt: skip
def test_read_language(text, code):
    assert read_language(text) == code


@pytest.mark.parametrize("text", ["", "xx", "klingon", "-", "french2"])
def test_read_language_unknown_is_refused_by_name(text):
    with pytest.raises(PermanentError, match="the known ones are auto, af, ") as refused:
        read_language(text)
    assert repr(text) in refused.value.detail


def test_choose_model_the_languages_own_or_that_of_all():
    assert choose_model({"fr": FRENCH, "auto": ANY}, "fr") is FRENCH
    assert choose_model({"fr": FRENCH, "auto": ANY}, "it") is ANY


def test_choose_model_none_names_setting_and_remedy():
    with pytest.raises(PermanentError, match="no model for the language 'it': TRANSCRIPTION_MODEL_PARAM lists fr, en"):
        choose_model({"fr": FRENCH, "en": ENGLISH}, "it")


def test_choose_language_all_windows_together():
    votes = [{"fr": 0.6, "en": 0.4}, {"en": 0.9, "fr": 0.1}, {"en": 0.8, "fr": 0.2}]
    assert choose_language(votes, {"auto": ANY}) == "en"


def test_choose_language_of_those_with_a_model():
    votes = [{"de": 0.6, "fr": 0.3, "en": 0.1}]
    assert choose_language(votes, {"fr": FRENCH, "en": ENGLISH}) == "fr"
    assert choose_language(votes, {"fr": FRENCH, "auto": ANY}) == "de"
