"""Chooses the renditions of a source: sizes, H.264 levels and x264 settings. Pure."""

import math
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import VideoFacts
from podjobs.rendition_settings import RenditionSetting


class Rendition(BaseModel):
    """One rung of the ladder, ready to be encoded."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Nominal height, the key in info_video.json: `360`, also for portrait video."""
    width_px: int
    height_px: int
    maxrate_bps: int
    audio_bps: int
    mp4: bool
    """Whether an MP4 is made in addition to HLS."""
    preset: str
    crf: float
    references: int
    level: str


class Tuning(BaseModel):
    """x264 settings for one picture size."""

    model_config = ConfigDict(frozen=True)

    up_to_px: int
    """Short side of the picture."""
    preset: str
    crf: float
    references: int


# Chosen by `scripts/bench ladder`: VMAF at least, and bytes at most, those of Pod's own encode, at the least CPU.
TUNINGS = (
    Tuning(up_to_px=400, preset="faster", crf=18.5, references=3),
    Tuning(up_to_px=800, preset="faster", crf=18.75, references=2),
    Tuning(up_to_px=100_000, preset="faster", crf=20, references=1),
)

# Macroblocks per second, per frame and in the decoded picture buffer; kbit/s, and kbit of the rate buffer, in High
# profile (1.25 times Main's). Source: ITU-T H.264 (2021), tables.
LEVELS = (
    ("1", 1_485, 99, 396, 80, 218),
    ("1.1", 3_000, 396, 900, 240, 625),
    ("1.2", 6_000, 396, 2_376, 480, 1_250),
    ("1.3", 11_880, 396, 2_376, 960, 2_500),
    ("2", 11_880, 396, 2_376, 2_500, 2_500),
    ("2.1", 19_800, 792, 4_752, 5_000, 5_000),
    ("2.2", 20_250, 1_620, 8_100, 5_000, 5_000),
    ("3", 40_500, 1_620, 8_100, 12_500, 12_500),
    ("3.1", 108_000, 3_600, 18_000, 17_500, 17_500),
    ("3.2", 216_000, 5_120, 20_480, 25_000, 25_000),
    ("4", 245_760, 8_192, 32_768, 25_000, 31_250),
    ("4.1", 245_760, 8_192, 32_768, 62_500, 78_125),
    ("4.2", 522_240, 8_704, 34_816, 62_500, 78_125),
    ("5", 589_824, 22_080, 110_400, 168_750, 168_750),
    ("5.1", 983_040, 36_864, 184_320, 300_000, 300_000),
    ("5.2", 2_073_600, 36_864, 184_320, 300_000, 300_000),
    ("6", 4_177_920, 139_264, 696_320, 300_000, 300_000),
    ("6.1", 8_355_840, 139_264, 696_320, 600_000, 600_000),
    ("6.2", 16_711_680, 139_264, 696_320, 1_000_000, 1_000_000),
)
BUFFER_S = 1.5
"""Size of the rate control buffer in seconds at the maximum rate: a new slide needs more than Pod's 1 s."""

LONGEST_SIDE_PX = 8192
"""Browsers decode no longer pictures, and x264 makes none beyond 16,384."""


def choose_renditions(
    video: VideoFacts, settings: EncodingSettings, frame_rate: float | None = None
) -> tuple[Rendition, ...]:
    """Choose what to encode, lowest rendition first.

    The lowest one is always made; nothing is scaled up; a rendition equal to the one below it is left out.

    Args:
        video: the source as it is displayed.
        settings: ladder and x264 settings.
        frame_rate: of the output if it differs from the source's, frames per second.
    """
    wanted = sorted(settings.video_renditions, key=lambda setting: setting.height_px)
    short_px = min(video.width_px, video.height_px)
    chosen = [
        setting
        for index, setting in enumerate(wanted)
        if index == 0 or short_px >= setting.height_px * (1 - setting.encoding_resolution_threshold / 100)
    ]
    renditions = [_fit(video, frame_rate or video.frame_rate, setting, settings) for setting in chosen]
    distinct = [after for before, after in pairwise(renditions) if after.height_px > before.height_px]
    return (renditions[0], *distinct)


def _fit(video: VideoFacts, frame_rate: float, setting: RenditionSetting, settings: EncodingSettings) -> Rendition:
    width_px, height_px = fit_size(video.width_px, video.height_px, setting.height_px)
    short_px = min(width_px, height_px)
    tuning = next(tuning for tuning in TUNINGS if short_px <= tuning.up_to_px)
    level = choose_level(width_px, height_px, frame_rate or 30.0, tuning.references, setting.maxrate)
    return Rendition(
        name=str(setting.height_px),
        width_px=width_px,
        height_px=height_px,
        maxrate_bps=setting.maxrate,
        audio_bps=setting.audio_bitrate,
        mp4=setting.encode_mp4,
        preset=settings.ffmpeg_preset or tuning.preset,
        crf=tuning.crf if settings.ffmpeg_crf is None else settings.ffmpeg_crf,
        references=tuning.references,
        level=max(level, settings.ffmpeg_level or level, key=float),
    )


def fit_size(width_px: int, height_px: int, nominal_px: int) -> tuple[int, int]:
    """Scale a picture so that its short side has the nominal size, if the long one permits, never up, both sides even.

    Args:
        width_px: displayed width of the source.
        height_px: displayed height of the source.
        nominal_px: the rendition's nominal height.

    Returns:
        Width and height in pixels.
    """
    scale = min(1.0, nominal_px / min(width_px, height_px), LONGEST_SIDE_PX / max(width_px, height_px))
    return to_even(width_px * scale), to_even(height_px * scale)


def fit_inside(size_px: tuple[int, int], frame_px: tuple[int, int]) -> tuple[int, int]:
    """Scale a picture, up or down, so that it just fits into a frame, both sides even."""
    scale = min(frame / side for frame, side in zip(frame_px, size_px, strict=True))
    width_px, height_px = (min(frame, to_even(side * scale)) for frame, side in zip(frame_px, size_px, strict=True))
    return width_px, height_px


def to_even(length_px: float) -> int:
    """Round a side of a picture to the nearest even number, at least 2."""
    return max(2, 2 * round(length_px / 2))


def choose_level(width_px: int, height_px: int, frame_rate: float, references: int, maxrate_bps: int) -> str:
    """Find the lowest H.264 level that allows a stream.

    Args:
        width_px: picture width.
        height_px: picture height.
        frame_rate: frames per second.
        references: reference frames the encoder keeps.
        maxrate_bps: highest bit rate; the buffer holds BUFFER_S of it.

    Returns:
        The level as ffmpeg takes it, `3.1`; the highest one if none suffices.

    Source: ITU-T H.264, table A-1.
    """
    columns, rows = math.ceil(width_px / 16), math.ceil(height_px / 16)
    blocks = columns * rows
    for level, rate, frame, buffer, max_kbps, max_buffer_kbit in LEVELS:
        # No side may be longer than the square root of eight times the frame size.
        longest = math.isqrt(8 * frame)
        if (
            blocks <= frame
            and max(columns, rows) <= longest
            and blocks * frame_rate <= rate
            and blocks * references <= buffer
            and maxrate_bps <= max_kbps * 1000
            and maxrate_bps * BUFFER_S <= max_buffer_kbit * 1000
        ):
            return level
    return LEVELS[-1][0]
