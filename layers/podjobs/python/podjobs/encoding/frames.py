"""Selects the frames of one chunk: exactly those whose time lies within it, at their own times. Pure."""

import math
from dataclasses import dataclass
from typing import Any

from podjobs.contract.commands import MediaInput
from podjobs.encoding.boundaries import REORDERED_FRAMES
from podjobs.encoding.commands import open_source
from podjobs.encoding.picture import HDR_TRANSFERS, JITTER_S, freeze_first, freeze_last, prepare_frames
from podjobs.encoding.recipe import TICKS_PER_S, Chunk, Recipe
from podjobs.encoding.scale import unify_frames
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import MediaFacts, VideoFacts


@dataclass(frozen=True)
class SourceCut:
    """The source of a chunk, and how it is cut from it."""

    source: MediaInput
    facts: MediaFacts
    video: VideoFacts
    shift_s: float
    """The source's clock minus the output's."""
    preroll_s: float
    decimation: int
    freeze_first_s: float = 0.0
    freeze_last: bool = False
    first_frame_pts_s: float | None = None

    def from_s(self, chunk: Chunk) -> float:
        """Where a chunk begins on the source's clock: no frame before it is wanted."""
        # Timestamps are rounded: the long frame that is wanted must not be a millionth before the cut.
        if self.first_frame_pts_s is not None:
            return self.first_frame_pts_s - JITTER_S
        return self.shift_s + chunk.start_s

    def begins_within(self, chunk: Chunk) -> bool:
        """Whether a chunk begins after the picture does, so that frames before it are not wanted."""
        return self.from_s(chunk) > self.video.start_s

    def seek_s(self, chunk: Chunk) -> float | None:
        """Where reading the source begins for a chunk; None: with the file, as with an infinite preroll.

        A seek to a time before the first frame may lead anywhere, and one beyond the last frame past it.
        """
        seek_s = min(self.from_s(chunk), _last_frame_s(self.video)) - self.preroll_s
        return seek_s if seek_s > self.video.start_s else None


def cut_of(recipe: Recipe, chunk: Chunk, source: MediaInput) -> SourceCut:
    """Find from which source a chunk is cut, and how.

    Args:
        recipe: the job.
        chunk: the part to encode.
        source: its file.
    """
    credit = recipe.credit_of(chunk)
    facts = credit.facts if credit else recipe.facts
    video = facts.video
    if video is None:
        raise ValueError("A source without video has no chunks.")
    if credit:
        shift_s = video.start_s - chunk.start_s
        return SourceCut(source, facts, video, shift_s, 0.0, credit.decimation, freeze_last=credit.freeze_last)
    return SourceCut(
        source,
        facts,
        video,
        shift_s=recipe.origin_s - recipe.offset_s,
        preroll_s=recipe.preroll_s,
        decimation=recipe.decimation,
        freeze_first_s=recipe.freeze_first_s,
        freeze_last=recipe.freeze_last,
        first_frame_pts_s=recipe.first_frame_pts_s if chunk.start_s == recipe.offset_s else None,
    )


def cut_frames(cut: SourceCut, chunk: Chunk, settings: EncodingSettings) -> Any:
    """Select the chunk's frames, with the output's timestamps.

    Args:
        cut: the source.
        chunk: the part to encode.
        settings: what may be decoded.
    """
    from_s = cut.from_s(chunk)
    bounds: dict[str, str] = {}
    if from_s > cut.video.start_s - cut.freeze_first_s:
        bounds["start"] = f"{from_s:.6f}"
    if chunk.end_s is not None:
        bounds["end"] = f"{cut.shift_s + chunk.end_s:.6f}"
    times = f"PTS-{round(cut.shift_s * TICKS_PER_S)}"
    if cut.first_frame_pts_s is not None:
        times = f"max({times},{round(chunk.start_s * TICKS_PER_S)})"
    return (
        decode_frames(cut, chunk, settings)
        .filter("trim", **bounds)
        .filter("setpts", times)
        # of frames with the same timestamp, as in damaged recordings, only the first can ever be seen
        .filter("select", "isnan(prev_selected_t)+gt(t,prev_selected_t)")
    )


def decode_frames(cut: SourceCut, chunk: Chunk, settings: EncodingSettings) -> Any:
    """Decode a chunk's frames, and some before and after them: on the source's clock, counted in our ticks.

    Args:
        cut: the source.
        chunk: the part to encode.
        settings: what may be decoded.
    """
    from_s, seek_s = cut.from_s(chunk), cut.seek_s(chunk)
    # -copyts: frames keep the timestamps of the file's own clock, by which trim cuts
    source_options: dict[str, Any] = {"copyts": None}
    if cut.video.changes_size or (not cut.video.interlaced and cut.video.transfer not in HDR_TRANSFERS):
        # A change of the picture's size would restart the filter graph, without the watermark. `scale` follows
        # such changes; the filters for fields and light do not, unless all frames are made equal before.
        source_options["reinit_filter"] = 0
    if cut.video.changes_size and cut.video.turn_degrees:
        # ffmpeg's own filters for turning do not follow such changes; unify_frames turns the picture
        source_options["noautorotate"] = None
    if seek_s is not None:
        # -noaccurate_seek: decode from the key frame on and let trim choose by the frames' own timestamps.
        # -seek_timestamp: -ss is a time of the file's own clock; without it, ffmpeg adds the file's start time.
        source_options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek_s:.6f}"}
    last_s = _last_frame_s(cut.video)
    end_s = math.inf if chunk.end_s is None else cut.shift_s + chunk.end_s
    decoded = open_source(cut.source, settings, **source_options)[str(cut.video.index)]
    placed = place_frames(decoded, cut.video)
    prepared = prepare_frames(unify_frames(placed, cut.video), cut.video, cut.decimation)
    # settb before everything that compares times: neighbours round alike, so no frame falls into both or neither
    frames = prepared.filter("settb", f"1/{TICKS_PER_S}")
    if cut.freeze_first_s and from_s <= cut.video.start_s:
        frames = freeze_first(frames, cut.video, cut.freeze_first_s)
    if cut.freeze_last and end_s > last_s:
        frames = freeze_last(frames, last_s, cut.shift_s + chunk.start_s)
    return frames


def place_frames(frames: Any, video: VideoFacts) -> Any:
    """Give frames of their own times to a source that has only those of decoding; others are not touched.

    ffmpeg puts the frames in order and takes those times for them, but some of the first after a seek, and of the last,
    get the same one. They are spread evenly, unless the source itself pauses there.

    Args:
        frames: as decoded.
        video: the source.
    """
    if not (video.lacks_times and video.frame_rate):
        return frames
    interval = f"1/({video.frame_rate:.6f}*TB)"
    follows = f"PREV_OUTPTS+{interval}"
    pauses = f"gt(PTS,PREV_OUTPTS+{REORDERED_FRAMES + 1}*{interval})"
    # until then, all frames that the decoder held back have come
    settled = f"gte(N,{2 * REORDERED_FRAMES})*gt(PTS,PREV_OUTPTS)"
    return frames.filter("setpts", f"if(eq(N,0)+{pauses}+{settled},PTS,{follows})")


def _last_frame_s(video: VideoFacts) -> float:
    """Time of the source's last frame; infinite if unknown."""
    if video.last_s is not None:
        return video.last_s
    return math.inf if video.end_s is None else video.end_s
