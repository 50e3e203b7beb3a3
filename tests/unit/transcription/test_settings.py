"""The settings of the transcription function: Pod's names, Pod's file, all faults by name."""

import json

import pytest

from podjobs.contract.ports.speech import ModelLocation
from podjobs.settings import SettingsError, load_settings
from podjobs.transcription.settings import TranscriptionSettings

MODELS = {"WHISPER": {"fr": {"model": "small", "download_root": "/models/fr"}, "EN": {"model": "/models/tiny.en"}}}


@pytest.fixture
def settings_of(monkeypatch):
    def load(**changes):
        values = {"MEDIA_ROOT": "/media", "TRANSCRIPTION_MODEL_PARAM": json.dumps(MODELS)} | changes
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return load_settings(TranscriptionSettings)

    return load


def test_models_are_listed_by_language(settings_of):
    assert settings_of().models == {"fr": ModelLocation("small", "/models/fr"), "en": ModelLocation("/models/tiny.en")}


def test_models_of_languages_by_name_or_region_are_found_by_their_codes(settings_of):
    listed = {"French": {"model": "a"}, "pt-BR": {"model": "b"}, "fr": {"model": "c"}, "xx": {"model": "d"}}
    models = settings_of(TRANSCRIPTION_MODEL_PARAM=json.dumps({"WHISPER": listed})).models
    assert {language: location.model for language, location in models.items()} == {"fr": "a", "pt": "b", "xx": "d"}


def test_pods_own_file_is_understood(tmp_path, monkeypatch):
    file = tmp_path / "settings_local.py"
    file.write_text(f"""
MEDIA_ROOT = "/media"
TRANSCRIPTION_TYPE = "WHISPER"
TRANSCRIPTION_NORMALIZE = True
TRANSCRIPTION_NORMALIZE_TARGET_LEVEL = -18.5
TRANSCRIPTION_MODEL_PARAM = {MODELS!r}
""")
    monkeypatch.setenv("PODJOBS_SETTINGS_FILE", str(file))
    settings = load_settings(TranscriptionSettings)
    assert settings.models["fr"].model == "small"
    assert (settings.transcription_normalize, settings.transcription_normalize_target_level) == (True, -18.5)


@pytest.mark.parametrize("engine", ["VOSK", "vosk", "STT"])
def test_unsupported_engine_is_named_with_the_remedy(settings_of, engine):
    with pytest.raises(SettingsError) as refused:
        settings_of(TRANSCRIPTION_TYPE=engine)
    assert f"TRANSCRIPTION_TYPE: Value error, {engine.upper()} is not supported. Set it to WHISPER" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRANSCRIPTION_TYPE", "OTHER"),
        ("TRANSCRIPTION_MODEL_PARAM", "{"),
        ("TRANSCRIPTION_MODEL_PARAM", "{}"),
        ("TRANSCRIPTION_MODEL_PARAM", '{"VOSK": {"fr": {"model": "x"}}}'),
        ("TRANSCRIPTION_MODEL_PARAM", '{"WHISPER": {"fr": {"model": ""}}}'),
        ("TRANSCRIPTION_MODEL_PARAM", '{"WHISPER": {"fr": "small"}}'),
        ("TRANSCRIPTION_MODEL_PARAM", '{"WHISPER": {"fr": {"model": "./models/small"}}}'),
        ("TRANSCRIPTION_MODEL_PARAM", '{"WHISPER": {"fr": {"model": "~/small"}}}'),
        ("TRANSCRIPTION_MODEL_PARAM", '{"WHISPER": {"fr": {"model": "small", "download_root": "models"}}}'),
        ("TRANSCRIPTION_NORMALIZE_TARGET_LEVEL", "3"),
        ("PODJOBS_WHISPER_DEVICE", "tpu"),
        ("PODJOBS_WHISPER_COMPUTE_TYPE", "int4"),
        ("PODJOBS_SPEECH_THRESHOLD", "1.5"),
        ("PODJOBS_PART_MAX_S", "99999"),
        ("PODJOBS_CAPTION_RULES", '{"max_lines": 0}'),
        ("PODJOBS_CAPTION_RULES", '{"lines": 2}'),
        ("PODJOBS_HALLUCINATION_LIMITS", '{"min_speech_share": 2}'),
        ("PODJOBS_HALLUCINATION_LIMITS", '{"min_share": 0.5}'),
    ],
)
def test_fault_is_named(settings_of, name, value):
    with pytest.raises(SettingsError, match=name):
        settings_of(**{name: value})


def test_rules_that_are_not_given_keep_their_defaults(settings_of):
    rules = settings_of(PODJOBS_CAPTION_RULES='{"max_line_chars": 37}').podjobs_caption_rules
    assert (rules.max_line_chars, rules.max_lines) == (37, 2)


def test_lengths_of_parts_must_fit(settings_of):
    with pytest.raises(SettingsError, match="PODJOBS_PART_MAX_S must not be below"):
        settings_of(PODJOBS_PART_MIN_S="100", PODJOBS_PART_MAX_S="60")
