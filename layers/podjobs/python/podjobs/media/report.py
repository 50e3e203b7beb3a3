"""Reads ffprobe's report about a source: what it says, checked and typed. Pure."""

import re
from typing import Any

from podjobs.media.codecs import UNKNOWN_CODECS
from podjobs.media.facts import AudioFacts, ChapterFacts, MediaFacts, PictureFacts, SubtitleFacts, VideoFacts

REPORTED = {
    "format": (
        *("filename", "nb_streams", "nb_programs", "format_name", "start_time", "duration", "size", "bit_rate"),
        "probe_score",
    ),
    "stream": (
        *("index", "id", "codec_type", "codec_name", "codec_tag", "codec_tag_string", "profile", "level"),
        *("width", "height", "coded_width", "coded_height", "has_b_frames", "sample_aspect_ratio", "pix_fmt"),
        *("color_range", "color_space", "color_transfer", "color_primaries", "chroma_location", "field_order", "refs"),
        *("sample_fmt", "sample_rate", "channels", "channel_layout", "bits_per_sample", "bits_per_raw_sample"),
        *("initial_padding", "r_frame_rate", "avg_frame_rate", "time_base", "start_pts", "start_time", "duration_ts"),
        *("duration", "bit_rate", "max_bit_rate", "nb_frames", "extradata_size"),
    ),
    "stream_disposition": (),
    "stream_side_data": (),
}
"""What ffprobe reports of every file: sections, and the entries of each (none are named: all). Their length is bounded,
as they contain no text from the file."""
REPORTED_TEXT = {
    "stream_tags": ("language", "rotate", "DURATION"),
    "chapter": ("start_time", "end_time"),
    "chapter_tags": ("title",),
}
"""What else it reports unless the file's texts are too long."""
OBLONGEST_PIXEL = 10
"""A pixel aspect beyond this is ignored: pixels are taken as square."""
FASTEST_GUESS = 240
"""Highest rate that is believed if ffprobe guessed it: Matroska's clock of 1,000 ticks a second is not a frame rate."""
EDITED_FRAMES = 2
"""If the container counts this many more frames than fit its length, an edit list hides some."""


def entries_argv(*, texts: bool) -> list[str]:
    """The ffprobe options that select what `read_facts` reads.

    Args:
        texts: whether tags and chapters are reported, too.
    """
    sections = REPORTED | REPORTED_TEXT if texts else REPORTED
    entries = [f"{name}={','.join(names)}" if names else name for name, names in sections.items()]
    return ["-show_entries", ":".join(entries), "-print_format", "json"]


def read_facts(probe: dict[str, Any]) -> MediaFacts:
    """Turn ffprobe's JSON into facts.

    Args:
        probe: the parsed JSON, with the entries of `REPORTED` and `REPORTED_TEXT`.

    Returns:
        The facts; the video stream is the one that players show (see `_main_picture`), the audio stream the default
        one or else the first, of those that ffmpeg knows. Sound that it does not know is a video's without sound.
    """
    streams = probe.get("streams", [])
    container = probe.get("format", {})
    start_s = _number(container.get("start_time")) or 0.0
    videos = [stream for stream in streams if stream.get("codec_type") == "video"]
    audios = [stream for stream in streams if stream.get("codec_type") == "audio"]
    moving = [stream for stream in videos if not _is_picture(stream)]
    known = [stream for stream in audios if stream.get("codec_name", "unknown") not in UNKNOWN_CODECS]
    usable = known or ([] if moving else audios)
    chosen = next((stream for stream in usable if stream.get("disposition", {}).get("default")), None)
    return MediaFacts(
        format_name=container.get("format_name", "unknown"),
        start_s=start_s,
        duration_s=_duration_s(container, start_s),
        video=_video(max(moving, key=_main_picture), start_s, container) if moving else None,
        audio=_audio(chosen or usable[0], start_s) if usable else None,
        pictures=tuple(_picture(stream) for stream in videos if _is_picture(stream)),
        subtitles=tuple(_subtitle(stream) for stream in streams if stream.get("codec_type") == "subtitle"),
        chapters=tuple(chapter for chapter in map(_chapter, probe.get("chapters", [])) if chapter is not None),
        streams=len(streams),
        unknown_audio=tuple(stream["index"] for stream in audios if stream not in known),
    )


def _duration_s(container: dict[str, Any], start_s: float) -> float | None:
    duration_s = _number(container.get("duration"))
    if duration_s is not None and "matroska" in container.get("format_name", "") and duration_s > start_s:
        # ffprobe reports the end time, as stored in Matroska, from 0 of the file's clock
        return duration_s - start_s
    return duration_s


STILL_CODECS = frozenset({"mjpeg", "png", "bmp", "gif", "tiff", "webp"})
"""Codecs of pictures; of videos, too, but hardly beside another one."""
_UNTOLD_CODECS = frozenset({"h264", "hevc"})
"""ffmpeg cannot tell from a packet when its frame is shown."""
_FIELD_CODECS = frozenset({"mpeg2video", "dvvideo"})
"""If the container does not state it, frames of these codecs may be interlaced; each frame is flagged itself."""


def _is_picture(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _main_picture(stream: dict[str, Any]) -> tuple[bool, bool, int]:
    """The larger, the sooner a stream is chosen, as by ffmpeg: the default one, the largest; of equal ones the first.

    But covers are not marked as such in every container, and may be large.
    """
    is_default = bool(stream.get("disposition", {}).get("default"))
    pixels = int(stream.get("width") or 0) * int(stream.get("height") or 0)
    return stream.get("codec_name") not in STILL_CODECS, is_default, pixels


def _video(stream: dict[str, Any], default_start_s: float, container: dict[str, Any]) -> VideoFacts:
    reordered_in_avi = container.get("format_name") == "avi" and int(stream.get("has_b_frames") or 0) > 0
    width, height = int(stream.get("width", 0)), int(stream.get("height", 0))
    width = round(width * pixel_aspect(stream.get("sample_aspect_ratio")))
    rotation = _rotation_degrees(stream)
    if rotation % 180:
        width, height = height, width
    start_s = _number(stream.get("start_time"))
    frame_rate = _ratio(stream.get("avg_frame_rate")) or _nominal_rate(stream)
    pixel_format = str(stream.get("pix_fmt", ""))
    return VideoFacts(
        index=stream["index"],
        codec=stream.get("codec_name", "unknown"),
        width_px=width,
        height_px=height,
        frame_rate=frame_rate,
        start_s=default_start_s if start_s is None else start_s,
        frames=_count_frames(stream, frame_rate),
        end_s=_end_s(stream, start_s),
        interlaced=_may_be_interlaced(stream),
        pixel_format=pixel_format,
        matrix=_known(stream.get("color_space")),
        transfer=_known(stream.get("color_transfer")),
        full_range=stream.get("color_range") == "pc" or pixel_format.startswith("yuvj"),
        lacks_times=reordered_in_avi and stream.get("codec_name") in _UNTOLD_CODECS,
        packs_frames=reordered_in_avi and stream.get("codec_name") == "mpeg4",
        # ffprobe counts counter-clockwise
        turn_degrees=-rotation % 360,
    )


def pixel_aspect(ratio: Any) -> float:
    """Width of a pixel in heights; square if the file does not say, or says something absurd.

    Args:
        ratio: as ffprobe writes it, `16:15`; None: unknown.
    """
    aspect = _ratio(str(ratio or "1:1").replace(":", "/"))
    return aspect if 1 / OBLONGEST_PIXEL <= aspect <= OBLONGEST_PIXEL else 1.0


def _nominal_rate(stream: dict[str, Any]) -> float:
    """The rate that ffprobe guesses; if it finds none, it reports the clock's tick rate."""
    rate = _ratio(stream.get("r_frame_rate"))
    return rate if rate <= FASTEST_GUESS else 0.0


def _count_frames(stream: dict[str, Any], frame_rate: float) -> int | None:
    """The container's count; None if an edit list hides some frames, as after a lossless cut."""
    counted, length_s = str(stream.get("nb_frames", "")), _number(stream.get("duration"))
    if not counted.isdigit() or not int(counted):
        return None
    if length_s is not None and frame_rate and abs(int(counted) / frame_rate - length_s) > EDITED_FRAMES / frame_rate:
        return None
    return int(counted)


def _may_be_interlaced(stream: dict[str, Any]) -> bool:
    order = stream.get("field_order", "unknown")
    if order == "unknown":
        return stream.get("codec_name") in _FIELD_CODECS
    return bool(order != "progressive")


def _end_s(stream: dict[str, Any], start_s: float | None) -> float | None:
    length_s = _number(stream.get("duration"))
    if length_s is not None and start_s is not None:
        return start_s + length_s
    # Matroska's statistics: when the stream ends, although the tag is called DURATION
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d+)", str(stream.get("tags", {}).get("DURATION", "")))
    return 3600 * int(match[1]) + 60 * int(match[2]) + float(match[3]) if match else None


def _known(name: Any) -> str:
    return "" if name in {None, "unknown", "unspecified", "reserved"} else str(name)


def _audio(stream: dict[str, Any], default_start_s: float) -> AudioFacts:
    start_s = _number(stream.get("start_time"))
    return AudioFacts(
        index=stream["index"],
        codec=stream.get("codec_name", "unknown"),
        sample_rate_hz=int(stream.get("sample_rate", 0)),
        channels=int(stream.get("channels", 0)),
        start_s=default_start_s if start_s is None else start_s,
        end_s=_end_s(stream, start_s),
    )


def _picture(stream: dict[str, Any]) -> PictureFacts:
    return PictureFacts(
        index=stream["index"], width_px=int(stream.get("width", 0)), height_px=int(stream.get("height", 0))
    )


def _subtitle(stream: dict[str, Any]) -> SubtitleFacts:
    language = str(stream.get("tags", {}).get("language", ""))
    return SubtitleFacts(index=stream["index"], codec=stream.get("codec_name", "unknown"), language=language)


def _chapter(chapter: dict[str, Any]) -> ChapterFacts | None:
    start_s, end_s = _number(chapter.get("start_time")), _number(chapter.get("end_time"))
    if start_s is None or end_s is None or end_s <= start_s:
        return None
    return ChapterFacts(start_s=start_s, end_s=end_s, title=str(chapter.get("tags", {}).get("title", "")))


def _rotation_degrees(stream: dict[str, Any]) -> int:
    for side_data in stream.get("side_data_list", []):
        if "rotation" in side_data:
            return round(float(side_data["rotation"]))
    return round(_number(stream.get("tags", {}).get("rotate")) or 0)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _ratio(value: Any) -> float:
    above, _, below = str(value or "0/0").partition("/")
    if not (above.isdigit() and below.isdigit() and int(below)):
        return 0.0
    return int(above) / int(below)
