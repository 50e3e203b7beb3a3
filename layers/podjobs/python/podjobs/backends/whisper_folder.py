"""Finds the folder of a speech model, and downloads models that are given by name."""

import re
from pathlib import Path

import faster_whisper
import structlog
from faster_whisper.utils import download_model

from podjobs.contract.errors import PermanentError, RetryableError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.speech import ModelLocation

logger = structlog.get_logger(__name__)

REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")
"""A CTranslate2 model needs these files, and a vocabulary, whose file has one of two names."""
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
"""The name of a model on Hugging Face."""


def model_folder(location: ModelLocation) -> Path:
    """Find the folder that holds a model: the given one, one in `download_root`, or one downloaded to there.

    Args:
        location: a folder, or one of Whisper's names.

    Raises:
        PermanentError: there is no such model, or some of its files are missing.
        RetryableError: it could not be downloaded.
    """
    return _given_folder(location) or _download(location)


def find_folder(location: ModelLocation) -> Path | None:
    """Find the folder that holds a model, without downloading it.

    Args:
        location: a folder, or one of Whisper's names.

    Returns:
        None if the model must be downloaded.

    Raises:
        PermanentError: there is no such model, or some of its files are missing.
    """
    if folder := _given_folder(location):
        return folder
    try:
        return Path(download_model(location.model, local_files_only=True, cache_dir=location.download_root or None))
    except Exception:  # noqa: BLE001 - the hub's client says that it is not here by errors of several libraries
        return None


def _given_folder(location: ModelLocation) -> Path | None:
    """The folder that the setting names; None if it names a model that is to be downloaded."""
    for folder in (Path(location.model), Path(location.download_root or ".") / location.model):
        if folder.is_absolute() and folder.is_dir():
            _check_files(folder, location)
            return folder
    if location.model.startswith("/"):
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the folder {location.model!r}, which does not exist. Put a "
            "CTranslate2 model there, mount the folder, or name another one.",
            kind=FailureKind.NO_MODEL,
        )
    if location.model not in faster_whisper.available_models() and not REPOSITORY.fullmatch(location.model):
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the model {location.model!r}, which is neither a folder nor one of "
            f"Whisper's models. Name a folder, or one of {', '.join(faster_whisper.available_models())}.",
            kind=FailureKind.NO_MODEL,
        )
    if Path(location.model).is_dir():
        raise PermanentError(
            f"TRANSCRIPTION_MODEL_PARAM names the folder {location.model!r} by a relative path. Name it by its "
            f"absolute path, such as {str(Path(location.model).absolute())!r}.",
            kind=FailureKind.NO_MODEL,
        )
    return None


def _check_files(folder: Path, location: ModelLocation) -> None:
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if not any(folder.glob("vocabulary.*")):
        missing.append("vocabulary.json or vocabulary.txt")
    if missing:
        raise PermanentError(
            f"The folder {str(folder)!r} of the model {location.model!r} in TRANSCRIPTION_MODEL_PARAM contains no "
            f"{', no '.join(missing)}. Whisper's own .pt files do not work: put a CTranslate2 model there.",
            kind=FailureKind.NO_MODEL,
        )


def _download(location: ModelLocation) -> Path:
    logger.info("Looking for a model, and downloading it if it is not here yet.", model=location.model)
    try:
        return Path(download_model(location.model, cache_dir=location.download_root or None))
    except Exception as error:
        # the hub's client raises the errors of many libraries; none of them is a bug of ours
        logger.warning("A model could not be downloaded.", model=location.model, error=str(error))
        raise RetryableError(
            f"The model {location.model!r} is not on this machine and could not be downloaded from Hugging Face "
            f"({type(error).__name__}). Give this machine access, or put a CTranslate2 model in a folder and name "
            "that folder in TRANSCRIPTION_MODEL_PARAM."
        ) from error
