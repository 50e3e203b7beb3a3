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

from podjobs.contract.ports import ModelLocation
from podjobs.media.settings import SourceSettings
from podjobs.settings import FromJson
from podjobs.transcription.captions.rules import CueRules
from podjobs.transcription.hallucinations.confidence import HallucinationLimits

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

    @property
    def location(self) -> ModelLocation:
        """Where the model can be found."""
        return ModelLocation(self.model, self.download_root)


ModelTable = dict[str, dict[str, ModelSetting]]
"""By engine and language."""


class TranscriptionSettings(SourceSettings):
    """The settings that the transcription function reads."""

    transcription_type: Annotated[Literal["WHISPER"], BeforeValidator(_engine)] = Field(
        default="WHISPER", description="The engine. Pod's VOSK is not supported."
    )
    transcription_model_param: FromJson[ModelTable] = Field(
        description="The models by language, as in Pod; JSON in the environment: "
        '`{"WHISPER": {"fr": {"model": "small", "download_root": "/models"}}}`. A model is one of Whisper\'s names or '
        "a folder that holds a CTranslate2 model; the entry `auto` is for all languages that are not listed."
    )
    transcription_normalize: bool = Field(
        default=False, description="Normalise the loudness of the sound (EBU R128) first."
    )
    transcription_normalize_target_level: Annotated[float, Field(ge=-70, le=-5)] = Field(
        default=-16.0, description="The loudness to normalise to, LUFS."
    )
    podjobs_whisper_device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where models run; auto: on a GPU if CUDA finds one."
    )
    podjobs_whisper_compute_type: Literal["auto", "int8", "int8_float16", "int8_float32", "float16", "float32"] = Field(
        default="auto", description="The numbers a model computes with; auto: int8 on processors, float16 on a GPU."
    )
    podjobs_whisper_threads: NonNegativeInt = Field(
        default=0, description="Threads of one step on processors; 0: the processors divided by the slots."
    )
    podjobs_whisper_beam: PositiveInt = Field(default=5, description="Beam size: how many wordings are weighed.")
    podjobs_whisper_batch: NonNegativeInt = Field(
        default=0, description="Windows of up to 30 s transcribed at once; 0: 2 on processors, 16 on a GPU."
    )
    podjobs_whisper_models_kept: PositiveInt = Field(default=2, description="Models that an instance keeps in memory.")
    podjobs_transcription_slots: NonNegativeInt = Field(
        default=0, description="Steps that an instance takes at once; 0: as many as processors, 2 on a GPU."
    )
    podjobs_part_min_s: Annotated[int, Field(ge=5)] = Field(
        default=60, description="Shortest part of a sound, seconds."
    )
    podjobs_part_max_s: Annotated[int, Field(ge=5, le=1200)] = Field(
        default=300, description="Longest part of a sound, seconds."
    )
    podjobs_parts_per_sound: PositiveInt = Field(
        default=24, description="Number of parts to aim for within these two lengths."
    )
    podjobs_speech_threshold: Annotated[float, Field(gt=0.05, lt=1)] = Field(
        default=0.5, description="From this probability on, sound is speech (Silero VAD)."
    )
    podjobs_hole_s: PositiveFloat = Field(
        default=3.0, description="Longest gap in seconds: longer speech without words is transcribed again, thoroughly."
    )

    podjobs_caption_rules: CueRules = Field(
        default=CueRules(),
        description="Rules for captions, as JSON; keys that are left out keep their defaults. Lengths in characters, "
        "times in seconds.",
    )
    podjobs_invention_limits: HallucinationLimits = Field(
        default=HallucinationLimits(),
        description="From where on text counts as hallucinated by the model and is dropped, as JSON; keys that are "
        "left out keep their defaults.",
    )

    @property
    def models(self) -> dict[str, ModelLocation]:
        """The models by language, in the order listed."""
        listed = self.transcription_model_param[WHISPER]
        return {language.strip().lower(): model.location for language, model in listed.items()}

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
