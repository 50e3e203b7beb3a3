"""The settings of composing studio recordings, which the encoding function does, too."""

from typing import Annotated, Literal

from pydantic import Field

from podjobs.media.settings import SourceSettings


class StudioSettings(SourceSettings):
    """How studio recordings are composed."""

    podjobs_studio_sound: Literal["presenter", "mix"] = Field(
        default="presenter",
        description="What is heard if both sources of a studio recording have sound: `presenter`: the presenter's "
        "microphone, unless it is silent; `mix`: both.",
    )
    podjobs_studio_crf: Annotated[float, Field(ge=0, le=51)] = Field(
        default=18,
        description="Quality of composed recordings, which are encoded once more for viewers: x264's CRF, lower is "
        "better.",
    )
    podjobs_studio_preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="veryfast", description="x264 preset of composed recordings: faster ones make larger files."
    )
