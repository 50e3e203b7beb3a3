"""Writes the recipe of a studio job: which pictures and sounds, where, from when to when, at which rate. Pure."""

import math
from collections.abc import Mapping, Sequence

from podjobs.contract.errors import InvalidRequestError, PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import StudioJob
from podjobs.encoding.boundaries import choose_preroll_s
from podjobs.encoding.ladder import Rendition, choose_level
from podjobs.encoding.picture import BT601, BT709, SD_HEIGHT_PX, choose_decimation
from podjobs.encoding.recipe import TICKS_PER_S
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.time_line import clamp_cut
from podjobs.media.facts import VideoFacts
from podjobs.studio.layout import Arrangement, arrange, arrange_alone
from podjobs.studio.recipe import Picture, Sound, SourceName, StudioRecipe
from podjobs.studio.time_line import Placed

USUAL_RATES = (25.0, 30.0, 50.0, 60.0)
"""Frames per second of composed pictures: a whole number of frames fits between two key frames, and of our ticks into
each frame."""
RATE_TOLERANCE = 1.02
"""29.97 is 30; browsers' averages are a little off."""
REFERENCES = 2
AUDIO_BPS = 192_000
MAXRATE_BPS_PER_PX = 16
"""No limit to reckon with: at CRF 18, noise takes a third of it."""
SHORTEST_S = 0.04
"""One frame."""
LAYOUTS = {
    "mid": "side by side",
    "pipb": "the presenter at the bottom right of the presentation",
    "piph": "the presenter at the top right of the presentation",
}


def write_recipe(job: StudioJob, placed: Mapping[SourceName, Placed], settings: EncodingSettings) -> StudioRecipe:
    """Decide everything that all steps share, except the division into chunks.

    Args:
        job: what was requested.
        placed: the sources, each with a known end.
        settings: the quality.

    Raises:
        InvalidRequestError: the cut leaves nothing, or there is no picture.
        PermanentError: there is nothing to compose.
    """
    length_s = max(one.end_s or 0.0 for one in placed.values())
    if length_s < SHORTEST_S:
        raise PermanentError("The sources have no length: nothing was recorded.", kind=FailureKind.EMPTY)
    start_s, end_s, log = clamp_cut(job.cut, length_s)
    shown = _choose_shown(job, placed)
    videos = [video for name in shown if (video := placed[name].facts.video)]
    arrangement, said = _arrange(job, shown, videos)
    rate = choose_rate(videos, settings.podjobs_max_frame_rate) if len(shown) > 1 else None
    start_s, duration_s = on_frames(start_s, length_s if end_s is None else end_s, rate)
    pictures = tuple(
        _picture(name, placed[name], start_s, arrangement, index, settings) for index, name in enumerate(shown)
    )
    size_px = arrangement.size_px
    shown_rate = rate or videos[0].frame_rate / pictures[0].decimation
    return StudioRecipe(
        pictures=pictures,
        sounds=_sounds(placed, start_s),
        frame_rate=rate,
        duration_s=duration_s,
        starts_s=(0.0,),
        rendition=_rendition(size_px, shown_rate, settings),
        matrix=BT601 if size_px[1] <= SD_HEIGHT_PX else BT709,
        log=(*log, said, *_tell_ends(placed, length_s)),
    )


def choose_rate(videos: Sequence[VideoFacts], highest: float) -> float:
    """Choose the frame rate of a composed picture: the lowest usual one that loses no frame of any source.

    Args:
        videos: the sources; rates vary, and averages count.
        highest: frames per second.
    """
    wanted = max(video.frame_rate for video in videos)
    usual = [rate for rate in USUAL_RATES if rate <= highest] or [USUAL_RATES[0]]
    return next((rate for rate in usual if wanted <= rate * RATE_TOLERANCE), usual[-1])


def on_frames(start_s: float, end_s: float, rate: float | None) -> tuple[float, float]:
    """Begin with a frame, and end after one.

    Args:
        start_s: wanted, on the recording's time line.
        end_s: likewise.
        rate: frames per second; None: the ticks of our clock take the place of frames.

    Returns:
        The beginning, on the recording's time line, and the length.
    """
    rate = rate or TICKS_PER_S
    first = round(start_s * rate)
    # a thousandth of a frame is rounding
    count = max(1, math.ceil(end_s * rate - first - 0.001))
    return first / rate, count / rate


def _choose_shown(job: StudioJob, placed: Mapping[SourceName, Placed]) -> list[SourceName]:
    """The sources whose pictures are shown, from the bottom to the top."""
    pictured = [name for name, one in placed.items() if one.facts.video is not None]
    if not pictured:
        raise InvalidRequestError(
            "None of the sources has a picture, so there is nothing to compose. Upload the sound as a file of its own.",
            kind=FailureKind.NO_MEDIA,
        )
    return pictured[:1] if job.layout == "alone" else pictured


def _arrange(job: StudioJob, shown: Sequence[SourceName], videos: Sequence[VideoFacts]) -> tuple[Arrangement, str]:
    sizes_px = [(video.width_px, video.height_px) for video in videos]
    if len(shown) == 1:
        arrangement = arrange_alone(sizes_px[0])
        how = f"The {shown[0]} alone is shown"
    else:
        arrangement = arrange(job.layout, *sizes_px)
        how = f"Both are shown, {LAYOUTS[job.layout]} ({job.layout})"
    return arrangement, f"{how}: {arrangement.size_px[0]} × {arrangement.size_px[1]} pixels."


def _picture(  # noqa: PLR0913, PLR0917 - a picture is made of them
    name: SourceName,
    placed: Placed,
    start_s: float,
    arrangement: Arrangement,
    index: int,
    settings: EncodingSettings,
) -> Picture:
    video = placed.facts.video
    if video is None:
        raise ValueError("A source without a picture is not shown.")
    return Picture(
        name=name,
        source=placed.key,
        # its notes are in the log
        facts=placed.facts.model_copy(update={"notes": (), "subtitles": (), "chapters": (), "pictures": ()}),
        origin_s=placed.zero_s + start_s,
        place=arrangement.places[index],
        preroll_s=choose_preroll_s(video),
        decimation=choose_decimation(video.frame_rate, settings.podjobs_max_frame_rate),
    )


def _sounds(placed: Mapping[SourceName, Placed], start_s: float) -> tuple[Sound, ...]:
    """The sounds by preference: the presenter's microphone, then whatever the presentation played."""
    return tuple(
        Sound(
            name=name,
            source=one.key,
            audio=one.facts.audio,
            file_start_s=one.facts.start_s,
            origin_s=one.zero_s + start_s,
        )
        for name, one in sorted(placed.items(), key=lambda item: item[0] != "presenter")
        if one.facts.audio is not None
    )


def _rendition(size_px: tuple[int, int], rate: float, settings: EncodingSettings) -> Rendition:
    width_px, height_px = size_px
    maxrate_bps = max(1_000_000, width_px * height_px * MAXRATE_BPS_PER_PX)
    return Rendition(
        name="composed",
        width_px=width_px,
        height_px=height_px,
        maxrate_bps=maxrate_bps,
        audio_bps=AUDIO_BPS,
        mp4=True,
        preset=settings.podjobs_studio_preset,
        crf=settings.podjobs_studio_crf,
        references=REFERENCES,
        level=choose_level(width_px, height_px, rate or 30.0, REFERENCES, maxrate_bps),
    )


def _tell_ends(placed: Mapping[SourceName, Placed], length_s: float) -> list[str]:
    """A sentence about each source that ends much earlier than the recording."""
    return [
        f"The {name} ends {early_s:.1f} s before the recording: its last picture stays."
        for name, one in placed.items()
        if one.facts.video is not None and (early_s := length_s - (one.end_s or length_s)) > 1
    ]
