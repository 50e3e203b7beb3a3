"""The ladder that a job's sender asks for, in place of the one of the settings. Pure."""

from collections.abc import Sequence

from podjobs.contract.jobs import RenditionRequest
from podjobs.encoding.settings import EncodingSettings
from podjobs.rendition_settings import RenditionSetting

VIDEO_BPS = (100_000, 50_000_000)
AUDIO_BPS = (32_000, 320_000)
"""Bit rates beyond these are a mistake: the nearest one is taken."""


def with_requested(settings: EncodingSettings, requests: Sequence[RenditionRequest]) -> EncodingSettings:
    """The settings of one job.

    Args:
        settings: of the function; they say what a request leaves open, by its height or the nearest one.
        requests: of the job's sender; none: the settings' own ladder.
    """
    if not requests:
        return settings
    by_height: dict[int, RenditionSetting] = {}
    for request in requests:
        rendition = _complete(request, settings.video_renditions)
        by_height.setdefault(rendition.height_px, rendition)
    return settings.model_copy(update={"video_renditions": tuple(by_height[height] for height in sorted(by_height))})


def _complete(request: RenditionRequest, ladder: Sequence[RenditionSetting]) -> RenditionSetting:
    width_px, height_px = map(int, request.resolution.split("x"))
    nearest = min(ladder, key=lambda one: abs(one.height_px - height_px))
    # as many bits a pixel as the nearest one
    usual_bps = round(nearest.maxrate * (height_px / nearest.height_px) ** 2)
    return RenditionSetting(
        resolution=f"{width_px}x{height_px}",
        maxrate=_within(VIDEO_BPS, request.max_bps or usual_bps),
        audio_bitrate=_within(AUDIO_BPS, request.audio_bps or nearest.audio_bitrate),
        encode_mp4=request.mp4,
        encoding_resolution_threshold=nearest.encoding_resolution_threshold,
    )


def _within(limits: tuple[int, int], rate_bps: int) -> int:
    least, most = limits
    return max(least, min(most, rate_bps))
