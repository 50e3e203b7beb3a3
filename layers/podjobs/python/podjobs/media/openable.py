"""Finds what can be used of a file of which ffprobe cannot open every stream.

ffprobe opens a decoder for each stream and gives up if one cannot be opened: because its codec is not accepted, or
because its header is damaged. ffmpeg opens only the streams that it is told to use. So if ffprobe gives up, ffmpeg
lists the streams, the usable ones are selected, and the encoding begins with a copy of these alone.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from podjobs.contract.commands import NOTHING, Access, CommandLimits, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools
from podjobs.media.codecs import UNKNOWN_CODECS
from podjobs.media.commands import UNATTENDED, input_argv
from podjobs.media.facts import (
    TEXT_SUBTITLES,
    AudioFacts,
    MediaFacts,
    Selection,
    SubtitleFacts,
    VideoFacts,
)
from podjobs.media.settings import SourceSettings

LIST_TIMEOUT_S = 60
LIMITS = CommandLimits(cpu_s=LIST_TIMEOUT_S)
LISTING = ("-c", "copy", "-copy_unknown", "-t", "0", "-f", "framecrc", "pipe:1")
"""ffmpeg options: the properties of the mapped streams, a line each, and no packets."""
FIRST_SECOND = ("-copyts", "-t", "1")
"""ffmpeg options of the input: read no further, and leave the timestamps as they are."""
HEAD = ("-c", "copy", "-frames:v", "1", "-frames:a", "1", "-f", "nut", "pipe:1")
"""ffmpeg options: the headers and a packet of each mapped stream, in a container for nearly every codec."""
START_TIME = ("-show_entries", "format=start_time", "-print_format", "csv=p=0")
LARGEST_HEAD_BYTES = 64 << 20
"""The first packet may be a large picture without compression."""
QUICKTIME_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""Types of the first box of MP4 and QuickTime files."""


@dataclass(frozen=True)
class Listed:
    """A stream as ffmpeg lists it, without having decoded anything of it."""

    index: int
    kind: str
    """video, audio, subtitle, data or attachment."""
    codec: str
    size_px: tuple[int, int] = (0, 0)
    sample_rate_hz: int = 0

    def __str__(self) -> str:
        """Name the stream for people."""
        return f"{self.kind} stream {self.index} ({self.codec})"


@dataclass
class Selecting:
    """The streams of a file, and which of them are kept."""

    streams: list[Listed]
    main: Listed | None
    """The video, if there is one that is not a cover."""
    kept: list[Listed] = field(default_factory=list)

    @property
    def sounds(self) -> list[Listed]:
        """Those kept."""
        return [stream for stream in self.kept if stream.kind == "audio"]

    @property
    def left_out(self) -> list[Listed]:
        """Pictures and sounds that are not kept."""
        return [stream for stream in self.streams if stream.kind in {"video", "audio"} and stream not in self.kept]


class UnacceptedCodecError(PermanentError):
    """The stream that would be used has a codec that is not accepted."""

    def __init__(self, stream: str, codec: str) -> None:
        """Name it.

        Args:
            stream: video or audio.
            codec: ffmpeg's name.
        """
        super().__init__(f"The {stream} is coded as {codec!r}.")
        self.stream, self.codec = stream, codec


def select_openable(tools: Tools, storage: Storage, settings: SourceSettings, key: Key) -> MediaFacts | None:
    """Select the usable streams of a file that ffprobe cannot open as a whole.

    Args:
        tools: runs ffmpeg and ffprobe.
        storage: contains the file.
        settings: the accepted codecs.
        key: the file.

    Returns:
        What its container says about the streams that can be used, with the selection; None if ffmpeg cannot read the
        file, either, or all of its streams can be opened: then something else is wrong.

    Raises:
        UnacceptedCodecError: neither video nor sound could be used without the codec that it names.
    """
    source = storage.input_of(key)
    streams = _list_streams(tools, source, settings, "0")
    if not streams:
        return None
    first = next(iter(_list_streams(tools, source, settings, "0:V:0")), None)
    main = first and next((one for one in streams if one.kind == "video" and _alike(one, first)), None)
    selecting = Selecting(streams, main)
    _keep_accepted(selecting, settings)
    start_s = _drop_unopenable(selecting, tools, source, settings)
    if not selecting.left_out or not (main or selecting.sounds):
        return None
    with storage.open(key) as file:
        is_quicktime = file.read(8)[4:] in QUICKTIME_BOXES
    return _describe(selecting, "mov" if is_quicktime else "unknown", start_s)


def _list_streams(tools: Tools, source: MediaInput, settings: SourceSettings, mapped: str) -> list[Listed]:
    argv = [settings.ffmpeg_cmd, *UNATTENDED, *input_argv(source, settings, "max_pixels"), "-map", mapped, *LISTING]
    try:
        listing = tools.run(argv, timeout_s=LIST_TIMEOUT_S, access=Access((source,)), limits=LIMITS)
    except PermanentError:
        return []
    return read_listing(listing.decode("utf-8", "replace"))


def read_listing(listing: str) -> list[Listed]:
    """Read ffmpeg's list of streams.

    Args:
        listing: what its muxer `framecrc` writes: `#codec_id 0: h264` and the like.
    """
    found: dict[int, dict[str, str]] = {}
    for name, index, value in re.findall(r"^#(\w+) (\d+): (.+)$", listing, re.MULTILINE):
        found.setdefault(int(index), {})[name] = value.strip()
    streams = []
    for index, values in sorted(found.items()):
        width, _, height = values.get("dimensions", "0x0").partition("x")
        streams.append(
            Listed(
                index=index,
                kind=values.get("media_type", "data"),
                codec=values.get("codec_id", "unknown"),
                size_px=(int(width), int(height)),
                sample_rate_hz=int(values.get("sample_rate", 0)),
            )
        )
    return streams


def _alike(one: Listed, other: Listed) -> bool:
    return (one.codec, one.size_px) == (other.codec, other.size_px)


def _keep_accepted(selecting: Selecting, settings: SourceSettings) -> None:
    """Keep the main video, all sounds and the text subtitles whose codecs are accepted.

    Raises UnacceptedCodecError if the video is not among them, or if none of the sounds is although one could be.
    """
    accepted = settings.podjobs_codecs
    main = selecting.main
    if main and main.codec not in accepted:
        raise UnacceptedCodecError("video", main.codec)
    sounds = [stream for stream in selecting.streams if stream.kind == "audio"]
    decodable = [stream for stream in sounds if stream.codec not in UNKNOWN_CODECS]
    kept = [stream for stream in decodable if stream.codec in accepted]
    if decodable and not kept:
        raise UnacceptedCodecError("audio", decodable[0].codec)
    subtitles = [
        stream
        for stream in selecting.streams
        if stream.kind == "subtitle" and stream.codec in TEXT_SUBTITLES.intersection(accepted)
    ]
    selecting.kept = [*([main] if main else []), *kept, *subtitles]


def _drop_unopenable(selecting: Selecting, tools: Tools, source: MediaInput, settings: SourceSettings) -> float:
    """Leave out the sounds whose headers a decoder refuses, one after another as ffprobe names them.

    Returns the first timestamp of the other streams, in seconds; 0 if it cannot be read.
    """
    # a decoder of text has no header to refuse
    examined = [stream for stream in selecting.kept if stream.kind != "subtitle"]
    inputs = (*FIRST_SECOND, *input_argv(source, settings, "max_pixels"))
    while examined:
        maps = [word for stream in examined for word in ("-map", f"0:{stream.index}")]
        argv = [settings.ffmpeg_cmd, *UNATTENDED, *inputs, *maps, *HEAD]
        probe = [settings.ffprobe_cmd, "-v", "warning", *START_TIME, "-f", "nut", "-i", "pipe:0"]
        try:
            head = tools.run(
                argv,
                timeout_s=LIST_TIMEOUT_S,
                access=Access((source,)),
                limit_bytes=LARGEST_HEAD_BYTES,
                limits=LIMITS,
            )
        except PermanentError:
            return 0.0  # such streams cannot be examined; the copy will show
        try:
            said = tools.run(probe, timeout_s=LIST_TIMEOUT_S, access=NOTHING, feed=[io.BytesIO(head)], limits=LIMITS)
        except PermanentError as error:
            named = re.search(r"input stream (\d+)", str(error.context.get("stderr", "")))
            if named is None or int(named[1]) >= len(examined):
                return 0.0
            refused = examined.pop(int(named[1]))
            # NUT stores less about a picture than AVI, so the video is only not examined
            if refused is not selecting.main:
                selecting.kept.remove(refused)
        else:
            return float(said) if re.fullmatch(rb"-?[\d.]+\s*", said) else 0.0
    return 0.0


def _describe(selecting: Selecting, format_name: str, start_s: float) -> MediaFacts:
    main, sounds = selecting.main, selecting.sounds
    return MediaFacts(
        format_name=format_name,
        start_s=start_s,
        duration_s=None,
        video=_video(main, start_s) if main else None,
        audio=_audio(sounds[0], start_s) if sounds else None,
        subtitles=tuple(
            SubtitleFacts(index=one.index, codec=one.codec, language="")
            for one in selecting.kept
            if one.kind == "subtitle"
        ),
        streams=len(selecting.streams),
        selection=Selection(
            kept=tuple(stream.index for stream in selecting.kept), left_out=_name_all(selecting.left_out)
        ),
    )


def _name_all(streams: Sequence[Listed]) -> str:
    return ", ".join(str(stream) for stream in streams)


def _video(stream: Listed, start_s: float) -> VideoFacts:
    width_px, height_px = stream.size_px
    return VideoFacts(
        index=stream.index,
        codec=stream.codec,
        width_px=width_px,
        height_px=height_px,
        frame_rate=0.0,
        start_s=start_s,
        frames=None,
    )


def _audio(stream: Listed, start_s: float) -> AudioFacts:
    return AudioFacts(
        index=stream.index, codec=stream.codec, sample_rate_hz=stream.sample_rate_hz, channels=0, start_s=start_s
    )
