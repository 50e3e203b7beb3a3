"""The facts about a source, typed."""

from pydantic import BaseModel, ConfigDict

GUESSED_FORMATS = frozenset({"aac", "mp3"})
"""ffprobe's names of containers without a length."""
UNSEARCHABLE_FORMATS = frozenset({"mpegts", "mpeg", "avi", "asf", "flv", "mxf", "dv", "gif", "ogg"})
"""ffprobe's names of containers without an index or without reliable timestamps."""


class VideoFacts(BaseModel):
    """A video stream that is not an attached picture."""

    model_config = ConfigDict(frozen=True)

    index: int
    codec: str
    width_px: int
    height_px: int
    """As displayed: rotation and pixel aspect applied; of a picture that changes its size, the largest one."""
    frame_rate: float
    """Average, frames per second; 0 if unknown."""
    start_s: float
    """Timestamp of the first frame on the file's own clock; if measured, of the first that can be decoded."""
    frames: int | None
    """As counted by the container; None if it does not count them, or counts some that are missing."""
    end_s: float | None = None
    """Where the picture ends on the file's own clock; None if unknown."""
    stated_start_s: float | None = None
    """If measured: timestamp of the first packet, whether or not it can be decoded."""
    last_s: float | None = None
    """If measured: timestamp of the last frame."""
    interlaced: bool = False
    """Whether frames may consist of two fields, captured one after the other."""
    pixel_format: str = ""
    matrix: str = ""
    """From YCbCr to RGB, ffmpeg's name; empty if the source has no tag."""
    transfer: str = ""
    """Transfer characteristics, ffmpeg's name; empty if the source has no tag."""
    full_range: bool = False
    """Whether values range from 0 to 255, not 16 to 235."""
    lacks_times: bool = False
    """Whether packets have the times of their decoding only, although frames are shown in another order (AVI)."""
    packs_frames: bool = False
    """Whether packets may hold two frames each, as DivX and Xvid write B-frames into AVI."""
    turn_degrees: int = 0
    """How far players turn the picture clockwise, as its header says: 0 to 359."""
    sizes: int = 1
    """How many different sizes were seen along the way."""
    changes_size: bool = False
    """Whether the picture changes its size along the way, or may do so unseen."""
    false_keys: bool = False
    """Whether frames are marked as key frames although nothing can be decoded from them alone."""

    @property
    def is_rgb(self) -> bool:
        """Whether the picture is stored as RGB."""
        return self.pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8"))


class AudioFacts(BaseModel):
    """An audio stream."""

    model_config = ConfigDict(frozen=True)

    index: int
    codec: str
    sample_rate_hz: int
    channels: int
    start_s: float
    end_s: float | None = None
    """Where the sound ends on the file's own clock; None if unknown."""


class PictureFacts(BaseModel):
    """A picture attached to the file, such as a cover."""

    model_config = ConfigDict(frozen=True)

    index: int
    width_px: int
    height_px: int


TEXT_SUBTITLES = frozenset({"subrip", "ass", "ssa", "mov_text", "webvtt", "text"})


class SubtitleFacts(BaseModel):
    """A subtitle stream."""

    model_config = ConfigDict(frozen=True)

    index: int
    codec: str
    language: str
    """ISO 639 code as in the file; empty if it has none."""

    @property
    def is_text(self) -> bool:
        """Whether it contains text; others contain pictures of text."""
        return self.codec in TEXT_SUBTITLES


class ChapterFacts(BaseModel):
    """A chapter."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    title: str


class Selection(BaseModel):
    """Which streams of a file may be used, if ffprobe cannot open all of them."""

    model_config = ConfigDict(frozen=True)

    kept: tuple[int, ...]
    """Their indices."""
    left_out: str
    """The other pictures and sounds, named for people."""


class MediaFacts(BaseModel):
    """A source file."""

    model_config = ConfigDict(frozen=True)

    format_name: str
    start_s: float
    duration_s: float | None
    """From start_s on, as the header states it; if measured: to the end of picture and sound. None if unknown."""
    video: VideoFacts | None
    audio: AudioFacts | None
    pictures: tuple[PictureFacts, ...] = ()
    subtitles: tuple[SubtitleFacts, ...] = ()
    chapters: tuple[ChapterFacts, ...] = ()
    streams: int = 1
    """Of all kinds."""
    unknown_audio: tuple[int, ...] = ()
    """Indices of audio streams whose codec ffmpeg does not know."""
    selection: Selection | None = None
    """If not None, these streams must be copied before the file can be probed: the facts are only what its container
    lists about them."""
    notes: tuple[str, ...] = ()
    """Sentences about metadata that are cut or left out."""

    @property
    def text_subtitles(self) -> tuple[SubtitleFacts, ...]:
        """Those that can become captions."""
        return tuple(subtitle for subtitle in self.subtitles if subtitle.is_text)

    @property
    def guesses_length(self) -> bool:
        """Whether the container has no length: ffprobe guesses it from the first bit rate and may be far off."""
        return self.format_name in GUESSED_FORMATS

    @property
    def seeks_badly(self) -> bool:
        """Whether it cannot be seeked reliably: the container has no index, unreliable timestamps, or is not known."""
        return self.selection is not None or not UNSEARCHABLE_FORMATS.isdisjoint(self.format_name.split(","))
