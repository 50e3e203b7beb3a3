"""Checks the speech models at the start, so that what is wrong with them is told before the first video needs them."""

from collections.abc import Mapping, Sequence

from whisper_ctranslate2.languages import LANGUAGES

from podjobs.contract.errors import StepError
from podjobs.contract.ports.speech import ModelLocation, SpeechModel
from podjobs.transcription.languages import AUTO, ENGLISH


def describe_languages(models: Mapping[str, ModelLocation]) -> str:
    """Say which languages can be transcribed. Pure.

    Args:
        models: by language, as TRANSCRIPTION_MODEL_PARAM lists them.
    """
    if AUTO in models:
        return "Videos in every language that Whisper knows can be transcribed."
    return (
        f"Only videos in these languages can be transcribed: {', '.join(models)}. To accept others, and to detect the "
        f"language, add an entry {AUTO!r} with a multilingual model to TRANSCRIPTION_MODEL_PARAM."
    )


def find_model_faults(models: Mapping[str, ModelLocation], model: SpeechModel) -> tuple[str, ...]:
    """Load every model that is on this machine. Takes seconds for large ones; downloads nothing.

    Args:
        models: by language, as TRANSCRIPTION_MODEL_PARAM lists them.
        model: loads them.

    Returns:
        A sentence for each fault, with the remedy.
    """
    faults = []
    for location, languages in _by_location(models).items():
        unknown = [language for language in languages if language != AUTO and language not in LANGUAGES]
        if unknown:
            faults.append(
                f"TRANSCRIPTION_MODEL_PARAM has an entry for {', '.join(map(repr, unknown))}, which Whisper does not "
                "know as a language. Use a code such as 'fr'."
            )
        try:
            if not model.is_here(location):
                continue  # it is downloaded when it is first needed
            foreign = [language for language in languages if language not in {ENGLISH, *unknown}]
            if foreign and not model.is_multilingual(location):
                faults.append(
                    f"The model {location.model!r} in TRANSCRIPTION_MODEL_PARAM for {', '.join(map(repr, foreign))} "
                    "supports only English. Name a multilingual one, such as 'small' instead of 'small.en'."
                )
        except StepError as error:
            faults.append(error.detail)
    return tuple(faults)


def _by_location(models: Mapping[str, ModelLocation]) -> dict[ModelLocation, Sequence[str]]:
    found: dict[ModelLocation, list[str]] = {}
    for language, location in models.items():
        found.setdefault(location, []).append(language)
    return dict(found)
