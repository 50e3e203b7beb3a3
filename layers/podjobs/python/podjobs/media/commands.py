"""What the ffmpeg commands of all subjects have in common: how they read uploads, and their general options. Pure."""

from typing import Any

from podjobs.contract.commands import MediaInput
from podjobs.media.codecs import name_decoders
from podjobs.media.settings import SourceSettings

ACCEPTED_FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv", "mpegts", "mpeg", "mxf", "dv"),
    *("mp3", "wav", "ogg", "flac", "aac", "aiff", "caf", "amr", "w64", "ac3"),
    "gif",
)
"""Demuxers that ffmpeg may use. Playlists and scripts (hls, concat, dash, …) read other files and are excluded."""
KEEP_GOING = ("-max_error_rate", "1")
"""ffmpeg options: decode whatever can be decoded, however much cannot; verification shows what is missing."""
QUIET = ("-hide_banner", "-nostats", "-loglevel", "error")
"""ffmpeg options: only errors go to stderr; if the command fails, the end of stderr explains why."""
UNATTENDED = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")
"""The same, and stdin is not read: ffmpeg would interpret it as commands such as «quit»."""

LAID_OUT_CHANNELS = 8
"""ffmpeg mixes up to 7.1 by itself; more channels have no layout that it can mix."""

RECEIVE_BUFFER_BYTES = 16 << 10
"""Of connections; enough for 500 MB/s on one machine."""

PACKET_TIMES = ("-show_entries", "packet=pts_time", "-print_format", "compact=nokey=1:print_section=0")
"""ffprobe options: one line per packet that holds its time alone, without names around it, as files have millions."""


def input_options(source: MediaInput, settings: SourceSettings) -> dict[str, Any]:
    """The ffmpeg input options for every source: whatever its content, it opens no other file and no connection.

    Args:
        source: the file, and the protocols to read it.
        settings: the codecs to decode, and how many streams a file may have.
    """
    # what a connection holds in advance is fetched in vain when ffmpeg seeks elsewhere
    buffering = {"recv_buffer_size": RECEIVE_BUFFER_BYTES} if source.is_remote else {}
    return {
        **buffering,
        "protocol_whitelist": source.protocol_whitelist,
        "format_whitelist": ",".join(ACCEPTED_FORMATS),
        "codec_whitelist": ",".join(name_decoders(settings.podjobs_codecs)),
        "max_streams": settings.podjobs_max_streams,
        "max_pixels": settings.podjobs_max_pixels,
    }


def input_argv(source: MediaInput, settings: SourceSettings, *left_out: str) -> list[str]:
    """The end of an ffprobe command that reads a source.

    Args:
        source: the file, and the protocols to read it.
        settings: as for `input_options`.
        left_out: names of options to omit.
    """
    options = input_options(source, settings).items()
    words = [word for option, value in options if option not in left_out for word in (f"-{option}", str(value))]
    return [*words, "-i", source.url]


def mix_down(sound: Any, channels: int) -> Any:
    """Mix sound of more channels than ffmpeg knows layouts for: their mean on both sides.

    Args:
        sound: a stream of ffmpeg-python.
        channels: of the stream; sound of up to eight is returned as it is.
    """
    if channels <= LAID_OUT_CHANNELS:
        return sound
    return sound.filter("pan", mean_of(channels))


def mean_of(channels: int) -> str:
    """The argument of the filter `pan` with which the mean of all channels is heard on both sides."""
    mean = "+".join(f"c{channel}" for channel in range(channels))
    # <: the gains are divided by their sum, so that nothing is clipped
    return f"stereo|c0<{mean}|c1<{mean}"
