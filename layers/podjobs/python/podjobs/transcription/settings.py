"""The settings of the transcription function: Pod's names where they exist, types, defaults and units."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from podjobs.contract.ports.speech import ModelLocation
from podjobs.media.settings import SourceSettings
from podjobs.settings import FromJson
from podjobs.transcription.captions.rules import CueRules
from podjobs.transcription.hallucinations.confidence import HallucinationLimits
from podjobs.transcription.languages import find_code

WHISPER = "WHISPER"


def _engine(value: Any) -> Any:
    """Refuse Pod's other engines, with a remedy."""
    name = str(value).strip().upper()
    if name in {"VOSK", "STT"}:
        raise ValueError(
            f"{name} is not supported. Set it to WHISPER and name models in TRANSCRIPTION_MODEL_PARAM, or keep Pod's "
            "own worker for the queue `transcripting` running in place of this function"
        )
    return name


class ModelSetting(BaseModel):
    """One language's entry of TRANSCRIPTION_MODEL_PARAM, in Pod's notation."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    model: Annotated[str, Field(min_length=1)]
    download_root: str = ""

    @field_validator("model", "download_root")
    @classmethod
    def _is_not_relative(cls, value: str) -> str:
        """A relative path would depend on where the function is started."""
        if value.startswith((".", "~")):
            raise ValueError("is a relative path: name the folder by its absolute path")
        return value

    @field_validator("download_root")
    @classmethod
    def _is_absolute(cls, value: str) -> str:
        if value and not value.startswith("/"):
            raise ValueError("must be the absolute path of a folder")
        return value

    @property
    def location(self) -> ModelLocation:
        """Where the model can be found."""
        return ModelLocation(self.model, self.download_root)


ModelTable = dict[str, dict[str, ModelSetting]]
"""By engine and language."""


class TranscriptionSettings(SourceSettings):
    """The settings that the transcription function reads."""

    transcription_type: Annotated[Literal["WHISPER"], BeforeValidator(_engine)] = Field(
        default="WHISPER", description="The transcription engine. Pod's VOSK is not supported."
    )
    transcription_model_param: FromJson[ModelTable] = Field(
        description="The models by language, as in Pod's settings; JSON in the environment: "
        '`{"WHISPER": {"fr": {"model": "small", "download_root": "/models"}}}`. A model is one of Whisper\'s names or '
        "a folder that contains a CTranslate2 model; the entry `auto` is used for all languages that are not listed."
    )
    transcription_normalize: bool = Field(
        default=False, description="Whether the loudness is normalised (EBU R128) before transcription."
    )
    transcription_normalize_target_level: Annotated[float, Field(ge=-70, le=-5)] = Field(
        default=-16.0, description="Target loudness, in LUFS."
    )
    podjobs_whisper_device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="The device on which models run. auto: a GPU if CUDA finds one."
    )
    podjobs_whisper_compute_type: Literal["auto", "int8", "int8_float16", "int8_float32", "float16", "float32"] = Field(
        default="auto", description="The compute type of the models. auto: int8 on CPUs, float16 on a GPU."
    )
    podjobs_whisper_threads: NonNegativeInt = Field(
        default=0, description="Threads per step on CPUs. 0: the number of processors divided by that of slots."
    )
    podjobs_whisper_beam: PositiveInt = Field(default=5, description="Beam size: the number of hypotheses considered.")
    podjobs_whisper_batch: NonNegativeInt = Field(
        default=0, description="Windows of up to 30 s that are transcribed at once. 0: 2 on CPUs, 16 on a GPU."
    )
    podjobs_whisper_models_kept: PositiveInt = Field(
        default=2, description="Number of models that an instance keeps in memory."
    )
    podjobs_transcription_slots: NonNegativeInt = Field(
        default=0,
        description="Steps that one instance of the function runs in parallel. 0: as many as processors, 2 on a GPU.",
    )
    podjobs_part_min_s: Annotated[int, Field(ge=5)] = Field(
        default=60, description="Minimum length of a part of the sound, in seconds."
    )
    podjobs_part_max_s: Annotated[int, Field(ge=5, le=1200)] = Field(
        default=300, description="Maximum length of a part of the sound, in seconds."
    )
    podjobs_parts_per_sound: PositiveInt = Field(
        default=24, description="Target number of parts per sound, within these limits."
    )
    podjobs_speech_threshold: Annotated[float, Field(gt=0.05, lt=1)] = Field(
        default=0.5, description="Probability from which on sound counts as speech (Silero VAD)."
    )
    podjobs_transcription_asks_topic: bool = Field(
        default=True,
        description="Whether Pod is asked for each video's title, description, keywords and owner, by the function "
        "notification: names in them are then spelled right in the captions.",
    )
    podjobs_gap_s: PositiveFloat = Field(
        default=0.7,
        description="Speech without words, in seconds within any 15 s, beyond which it is transcribed again, more "
        "thoroughly; the log tells what stays without.",
    )

    podjobs_caption_rules: CueRules = Field(
        default=CueRules(),
        description="Rules for captions, as JSON; omitted keys keep their defaults. Units: characters and seconds.",
    )
    podjobs_hallucination_limits: HallucinationLimits = Field(
        default=HallucinationLimits(),
        description="Limits beyond which text is dropped as hallucinated, as JSON; omitted keys keep their defaults.",
    )

    @property
    def models(self) -> dict[str, ModelLocation]:
        """The models by language, in the order listed; a language that Whisper does not know keeps its name."""
        found: dict[str, ModelLocation] = {}
        for language, model in self.transcription_model_param[WHISPER].items():
            found.setdefault(find_code(language) or language.strip().lower(), model.location)
        return found

    @field_validator("transcription_model_param")
    @classmethod
    def _names_whisper_models(cls, value: ModelTable) -> ModelTable:
        if not value.get(WHISPER):
            raise ValueError('must name at least one model, as {"WHISPER": {"fr": {"model": "small"}}} does')
        return value

    @model_validator(mode="after")
    def _lengths_fit(self) -> "TranscriptionSettings":
        if self.podjobs_part_max_s < self.podjobs_part_min_s:
            raise ValueError("PODJOBS_PART_MAX_S must not be below PODJOBS_PART_MIN_S")
        return self
