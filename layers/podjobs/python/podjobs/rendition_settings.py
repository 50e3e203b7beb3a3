"""The setting VIDEO_RENDITIONS, in Pod's notation: what encoding makes, and what Pod must have a row for."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt

from podjobs.settings import FromJson


def _bits_per_second(value: Any) -> Any:
    """Read bit rates in Pod's notation: `1000k`."""
    if isinstance(value, str):
        text = value.strip().lower()
        factor = {"k": 1000, "m": 1_000_000}.get(text[-1:], 1)
        number = text.rstrip("km")
        if not number.isdigit():
            raise ValueError("must be a bit rate such as 3000k")
        return int(number) * factor
    return value


BitRate = Annotated[PositiveInt, BeforeValidator(_bits_per_second)]


class RenditionSetting(BaseModel):
    """One entry of VIDEO_RENDITIONS, in Pod's notation; fields that only Pod's web side uses are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    resolution: Annotated[str, Field(pattern=r"^\d{2,5}x\d{2,5}$")]
    maxrate: BitRate
    audio_bitrate: BitRate
    encode_mp4: bool = True
    encoding_resolution_threshold: Annotated[float, Field(ge=0, le=100)] = 0

    @property
    def height_px(self) -> int:
        """The nominal height: the rendition's name."""
        return int(self.resolution.split("x")[1])


# Source: docs/contract-pod.md, default ladder.
DEFAULT_RENDITIONS = (
    RenditionSetting(resolution="640x360", maxrate=1_000_000, audio_bitrate=96_000, encode_mp4=True),
    RenditionSetting(resolution="1280x720", maxrate=3_000_000, audio_bitrate=128_000, encode_mp4=True),
    RenditionSetting(resolution="1920x1080", maxrate=4_500_000, audio_bitrate=192_000, encode_mp4=False),
)


def _check_heights(renditions: tuple[RenditionSetting, ...]) -> tuple[RenditionSetting, ...]:
    heights = [rendition.height_px for rendition in renditions]
    if len(set(heights)) != len(heights):
        raise ValueError("names one height twice")
    return renditions


VideoRenditions = FromJson[Annotated[tuple[RenditionSetting, ...], Field(min_length=1), AfterValidator(_check_heights)]]
"""The type of the setting; JSON in the environment."""
