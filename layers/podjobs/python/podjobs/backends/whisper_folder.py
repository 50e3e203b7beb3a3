"""Finds the folder of a speech model, and downloads a model that is only named."""

import re
from pathlib import Path

import faster_whisper
import structlog
from faster_whisper.utils import download_model

from podjobs.contract.errors import PermanentError, RetryableError
from podjobs.contract.ports import ModelPlace

logger = structlog.get_logger(__name__)

REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")
"""A CTranslate2 model does not work here without them; nor without a vocabulary, which has one of two names."""
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
"""The name of a model on Hugging Face."""


def model_folder(place: ModelPlace) -> Path:
    """Find the folder that holds a model: its own, one in `download_root`, or one that is downloaded there.

    Args:
        place: a folder, or one of Whisper's names.

    Raises:
        PermanentError: there is no such model, or some of its files are missing.
        RetryableError: it could not be downloaded.
    """
    for folder in (Path(place.model), Path(place.download_root or ".") / place.model):
        if folder.is_absolute() and folder.is_dir():
            _check_files(folder, place)
            return folder
    if place.model.startswith("/"):
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the folder {place.model!r} for a model, but it does not exist. Put a "
            "CTranslate2 model there, mount the folder, or name another one."
        )
    if place.model not in faster_whisper.available_models() and not REPOSITORY.fullmatch(place.model):
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the model {place.model!r}, which is neither a folder nor one of "
            f"Whisper's models. Name a folder, or one of {', '.join(faster_whisper.available_models())}."
        )
    return _download(place)


def _check_files(folder: Path, place: ModelPlace) -> None:
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if not any(folder.glob("vocabulary.*")):
        missing.append("vocabulary.json or vocabulary.txt")
    if missing:
        raise PermanentError(
            f"The folder {str(folder)!r} that TRANSCRIPTION_MODEL_PARAM names for the model {place.model!r} holds no "
            f"{', no '.join(missing)}. Whisper's own .pt files do not work: put a CTranslate2 model there."
        )


def _download(place: ModelPlace) -> Path:
    logger.info("Looking for a model, and downloading it if it is not here yet.", model=place.model)
    try:
        return Path(download_model(place.model, cache_dir=place.download_root or None))
    except Exception as error:
        # the hub's client raises the errors of many libraries; none of them means a fault of ours
        logger.warning("A model could not be downloaded.", model=place.model, error=str(error))
        raise RetryableError(
            f"The model {place.model!r} is not on this machine and could not be downloaded from Hugging Face "
            f"({type(error).__name__}). Give this machine access, or put a CTranslate2 model in a folder and name "
            "that folder in TRANSCRIPTION_MODEL_PARAM."
        ) from error
