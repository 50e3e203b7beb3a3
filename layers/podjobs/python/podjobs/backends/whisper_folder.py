"""Finds the folder of a speech model, and fetches one that is only named."""

import re
from pathlib import Path

import faster_whisper
import structlog
from faster_whisper.utils import download_model

from podjobs.contract.errors import PermanentError, RetryableError
from podjobs.contract.ports import ModelPlace

logger = structlog.get_logger(__name__)

NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Files without which a CTranslate2 model does not work here; the vocabulary has one of two names."""
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
"""Of a model on Hugging Face."""


def model_folder(place: ModelPlace) -> Path:
    """The folder that holds a model: its own, one in `download_root`, or one that is fetched there.

    Args:
        place: a folder, or a name of Whisper's.

    Raises:
        PermanentError: there is no such model, or files of it are missing.
        RetryableError: it could not be fetched.
    """
    for folder in (Path(place.model), Path(place.download_root or ".") / place.model):
        if folder.is_absolute() and folder.is_dir():
            _check_files(folder, place)
            return folder
    if place.model.startswith("/"):
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the folder {place.model!r} for a model, and there is none. Put a "
            "CTranslate2 model there, mount the folder, or name another one."
        )
    if place.model not in faster_whisper.available_models() and not REPOSITORY.fullmatch(place.model):
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the model {place.model!r}, which is neither a folder nor a model of "
            f"Whisper's. Name a folder, or one of {', '.join(faster_whisper.available_models())}."
        )
    return _fetch(place)


def _check_files(folder: Path, place: ModelPlace) -> None:
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if not any(folder.glob("vocabulary.*")):
        missing.append("vocabulary.json or vocabulary.txt")
    if missing:
        raise PermanentError(
            f"The folder {str(folder)!r} that TRANSCRIPTION_MODEL_PARAM names for the model {place.model!r} holds no "
            f"{', no '.join(missing)}. Whisper's own .pt files do not work: put a CTranslate2 model there."
        )


def _fetch(place: ModelPlace) -> Path:
    logger.info("A model is looked for, and fetched where it is not here yet.", model=place.model)
    try:
        return Path(download_model(place.model, cache_dir=place.download_root or None))
    except Exception as error:
        # the hub's client raises errors of many libraries; none of them tells of a fault of ours
        logger.warning("A model could not be fetched.", model=place.model, error=str(error))
        raise RetryableError(
            f"The model {place.model!r} is not on this machine and could not be fetched from Hugging Face "
            f"({type(error).__name__}). Give this machine access, or put a CTranslate2 model in a folder and name the "
            "folder in TRANSCRIPTION_MODEL_PARAM."
        ) from error
