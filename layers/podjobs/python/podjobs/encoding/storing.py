"""Codes pictures without loss that Matroska cannot store as they are. Pure."""

import math
from typing import Any

from podjobs.encoding.recipe import ASSUMED_FRAME_RATE
from podjobs.encoding.time_line import FREEZE_FROM_S
from podjobs.media.facts import MediaFacts, VideoFacts

NOT_IN_MATROSKA = frozenset({"flashsv2", "gif"})
"""Accepted video codecs for which Matroska has no name."""
FALSE_KEY_FRAMES = frozenset({"rpza", "smc"})
"""Video codecs all of whose frames ffmpeg's encoder calls key frames, although they contain only what has changed; the
decoders show the rest as it was before, which at the beginning of a chunk is nothing. Coded anew, they have some."""
PALETTE_OUTSIDE = frozenset({"tscc", "msvideo1", "msrle", "cinepak", "rawvideo"})
"""Video codecs whose palette, if they have one, is in the container, where it may change: a copy would lose it."""
MAY_HAVE_PALETTE = frozenset({"pal8", ""})
"""ffmpeg's pixel format, or none: it is not known before the stream is opened."""
OPTIONS = {
    "fps_mode": "passthrough",
    # FLV counts milliseconds, GIF hundredths; otherwise the encoder would count frames of the nominal rate
    "enc_time_base": "1:1000",
}
KEY_FRAME_EVERY = 50
LARGEST_SCREEN_PX = 4095
GIF_TICK_S = 0.01

STORED_PX_PER_S = 50_000_000
"""Pixels that one core decodes and codes again in a second."""
LEAST_FRAME_BYTES = 8
"""A frame in a container has a header."""
INFLATION = 8
"""How much larger pictures may become: GIF codes strips of few colours, Flash Screen Video squares of millions."""


def is_coded_anew(video: VideoFacts | None) -> bool:
    """Whether a copy in Matroska would not have the pictures, or not their colours, or no frame to begin with."""
    if video is None:
        return False
    if video.codec in NOT_IN_MATROSKA | FALSE_KEY_FRAMES:
        return True
    # raw pictures are coded anew only if they are known to have one: others would be nothing but larger
    known = video.pixel_format or video.codec != "rawvideo"
    return bool(known) and video.codec in PALETTE_OUTSIDE and video.pixel_format in MAY_HAVE_PALETTE


def store_video(facts: MediaFacts) -> dict[str, Any]:
    """Ffmpeg options that code the pictures anew if they cannot be copied.

    Args:
        facts: of the source.
    """
    video = facts.video
    if video is None or not is_coded_anew(video):
        return {}
    # Flash Screen Video stores what has changed, quickly; it has no larger pictures
    fits = max(video.width_px, video.height_px) <= LARGEST_SCREEN_PX
    coding = OPTIONS | {"g": KEY_FRAME_EVERY, "c:v": "flashsv" if fits else "ffv1"}
    if video.codec == "gif" and video.frames and facts.duration_s:
        coding["filter:v"] = _hold_last(video.frames, facts.duration_s)
        # the encoder takes all frames to be as long as the nominal rate says
        coding["bsf:v"] = f"setts=duration='if(eq(N,{video.frames}),{GIF_TICK_S}/TB,DURATION)'"
    return coding


def _hold_last(frames: int, length_s: float) -> str:
    """The filters that repeat the last picture at the end, if it is shown long: only containers know that."""
    at_end = f"if(lt(N,{frames}),PTS,round({length_s - GIF_TICK_S:.3f}/TB))"
    wanted = f"lt(n,{frames})+gt(t-prev_selected_t,{FREEZE_FROM_S})"
    return f"tpad=stop=1:stop_mode=clone,setpts='{at_end}',select='{wanted}'"


def expect_cost(facts: MediaFacts, size_bytes: int, longest_s: float) -> tuple[float, int]:
    """What coding the pictures anew can be expected to cost at most; nothing if they are copied.

    Args:
        facts: of the source.
        size_bytes: its size.
        longest_s: the longest media.

    Returns:
        Processor time in seconds, and the size of the pictures in bytes.
    """
    video = facts.video
    if video is None or not is_coded_anew(video):
        return 0.0, 0
    length_s = min(facts.duration_s or longest_s, longest_s)
    frames = video.frames or length_s * (video.frame_rate or ASSUMED_FRAME_RATE)
    frames = min(frames, size_bytes / LEAST_FRAME_BYTES)
    pixels = video.width_px * video.height_px
    key_frames = math.ceil(frames / KEY_FRAME_EVERY)
    # a key frame shows again what the source told once
    key_bytes = min(4 * pixels, INFLATION * size_bytes)
    return frames * pixels / STORED_PX_PER_S, INFLATION * size_bytes + key_frames * key_bytes
