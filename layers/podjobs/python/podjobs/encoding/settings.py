"""The settings of the encoding function: Pod's names, types, defaults and units."""

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from podjobs.encoding.studio_settings import StudioSettings
from podjobs.fetch_settings import FetchSettings
from podjobs.language_settings import LanguageSettings
from podjobs.rendition_settings import DEFAULT_RENDITIONS, VideoRenditions

X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) else value


class EncodingSettings(StudioSettings, LanguageSettings, FetchSettings):
    """The settings that the encoding function reads."""

    ffmpeg_crf: Annotated[float, Field(ge=0, le=51)] | None = Field(
        default=None, description="x264 quality (0-51, lower is better). If not set: tuned for each rendition."
    )
    ffmpeg_preset: Literal[X264_PRESETS] | None = Field(  # type: ignore[valid-type]  # a tuple of names
        default=None, description="x264 preset. If not set: tuned for each rendition."
    )
    ffmpeg_profile: Literal["baseline", "main", "high"] = Field(default="high", description="H.264 profile.")
    ffmpeg_level: Annotated[str, BeforeValidator(_text), Field(pattern=r"^[1-6](\.[0-3])?$")] | None = Field(
        default=None,
        description="Lowest H.264 level to declare. A higher one is declared if a rendition needs it.",
    )
    ffmpeg_hls_time: Annotated[int, Field(ge=1, le=20)] = Field(
        default=2, description="Length of HLS segments and interval of key frames, in seconds."
    )
    ffmpeg_nb_threads: NonNegativeInt = Field(
        default=0,
        description="Threads per encoder. 0: one if a video's chunks keep all processors busy, otherwise x264 chooses.",
    )
    podjobs_max_frame_rate: PositiveFloat = Field(
        default=60, description="Highest frame rate. Faster sources keep every second, fourth … frame."
    )
    ffmpeg_nb_thumbnail: Annotated[int, Field(ge=2, le=20)] = Field(
        default=3, description="Number of thumbnails, at least 2, as Pod shows the second one."
    )
    ffmpeg_audio_bitrate: Annotated[str, Field(pattern=r"^\d+k$")] = Field(
        default="192k",
        description="Used in the names of the audio files (`audio_192k.mp3`), and as the bit rate of the .m4a.",
    )
    video_renditions: VideoRenditions = Field(
        default=DEFAULT_RENDITIONS, description="The ladder, as in Pod's settings; JSON in the environment."
    )
    podjobs_chunk_min_s: PositiveInt = Field(default=8, description="Minimum length of a chunk, in seconds.")
    podjobs_chunk_max_s: PositiveInt = Field(default=60, description="Maximum length of a chunk, in seconds.")
    podjobs_chunks_per_video: PositiveInt = Field(
        default=48, description="Target number of chunks per video, within these limits."
    )
    podjobs_max_output_factor: Annotated[float, Field(ge=1)] = Field(
        default=4,
        description="Largest size of a file, as a multiple of what its highest bit rate (`maxrate`) gives for its "
        "length.",
    )
    podjobs_encoding_slots: NonNegativeInt = Field(
        default=0, description="Steps that one instance of the function runs in parallel. 0: as many as processors."
    )

    @property
    def slots(self) -> int:
        """Steps that one instance of the function runs in parallel."""
        return self.podjobs_encoding_slots or self.processors

    @model_validator(mode="after")
    def _chunks_fit_segments(self) -> "EncodingSettings":
        if self.podjobs_chunk_max_s < self.podjobs_chunk_min_s:
            raise ValueError("PODJOBS_CHUNK_MAX_S must not be below PODJOBS_CHUNK_MIN_S")
        return self
