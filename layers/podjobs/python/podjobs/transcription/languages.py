"""Chooses the language and the model for it. Pure."""

from collections.abc import Mapping, Sequence

from whisper_ctranslate2.languages import LANGUAGES, TO_LANGUAGE_CODE

from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.speech import ModelLocation

AUTO = "auto"
"""As a job's language: to be detected. As a model's language: every one that is not listed."""
ENGLISH = "en"


def read_language(text: str) -> str:
    """Parse the language that Pod requests.

    Args:
        text: a code (`fr`, `pt-BR`), a name (`french`) or `auto`.

    Returns:
        Whisper's code, or `auto`.

    Raises:
        PermanentError: Whisper does not know the language.
    """
    if code := find_code(text):
        return code
    raise PermanentError(
        f"The language {text!r} is not known. Choose another one for the transcription of this video in Pod; "
        f"the known ones are {AUTO}, {', '.join(sorted(LANGUAGES))}.",
        kind=FailureKind.LANGUAGE,
    )


def find_code(text: str) -> str:
    """Find Whisper's code for a language; empty if Whisper does not know it.

    Args:
        text: a code (`fr`, `pt-BR`), a name (`french`) or `auto`.
    """
    name = text.strip().lower()
    if name == AUTO or name in LANGUAGES:
        return name
    return str(TO_LANGUAGE_CODE.get(name) or _without_region(name))


def _without_region(name: str) -> str:
    code = name.replace("_", "-").partition("-")[0]
    return code if code in LANGUAGES else ""


def choose_model(models: Mapping[str, ModelLocation], language: str) -> ModelLocation:
    """Choose the model for a language.

    Args:
        models: by language, as TRANSCRIPTION_MODEL_PARAM lists them.
        language: a code.

    Raises:
        PermanentError: there is no model for it.
    """
    location = models.get(language) or models.get(AUTO)
    if location is None:
        raise PermanentError(
            f"There is no model for the language {language!r}: TRANSCRIPTION_MODEL_PARAM lists {', '.join(models)}. "
            f"Add an entry {language!r} to it, or an entry {AUTO!r} that names a multilingual model.",
            kind=FailureKind.NO_MODEL,
        )
    return location


def choose_language(votes: Sequence[Mapping[str, float]], models: Mapping[str, ModelLocation]) -> str:
    """Choose the most likely language of all windows together, among those that have a model.

    Args:
        votes: for each window, the probabilities of languages; at least one window.
        models: by language.
    """
    candidates = set(LANGUAGES) if AUTO in models else set(models)
    sums = {code: sum(vote.get(code, 0.0) for vote in votes) for code in candidates}
    return max(sorted(sums), key=lambda code: sums[code])
