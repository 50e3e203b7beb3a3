"""Repackages a source whose container cannot be seeked reliably into Matroska, so that it can be cut into chunks.

The video is copied, or coded anew without loss where Matroska cannot store it; the sound is kept without loss.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import ffmpeg

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.media_paths import Key
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.limits import repackage_limits
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import REPACKAGED_FOLDER
from podjobs.encoding.storing import store_video
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING, LAID_OUT_CHANNELS, mean_of
from podjobs.media.decodable import gives_sound
from podjobs.media.facts import MediaFacts

FILE = "source.mkv"
SOURCE_OPTIONS = {
    # AVI stores no presentation times. What is marked as damaged is kept: where transport streams are joined, ffmpeg
    # takes the last packet of each for damaged, and decoders make the best of others.
    "fflags": "+genpts",
}
CODING = {
    "c": "copy",
    # The sound is decoded: broadcasts change its format along the way, and Matroska does not support every codec.
    "c:a": "flac",
    # 16 bits are enough for a later lossy encode; FLAC does not support the floating point that decoders return.
    "sample_fmt": "s16",
    # Uncompressed RGB, as in AVI, can only be stored in Video for Windows compatibility mode.
    "allow_raw_vfw": 1,
}

LATE_CODECS = frozenset({"h264", "hevc"})
"""Without B-frames, +genpts takes the time of the next packet for that of a frame."""
EXACT_CLOCKS = frozenset({"mpegts", "mpeg"})
"""ffprobe's names of containers whose clock counts 90,000 ticks a second: a gap in them is one."""
SHORTEST_GAP_S = 0.02
"""ffmpeg would fill gaps from a tenth of a second on; a frame of sound has 21 to 32 ms."""


def unpack_argv(facts: MediaFacts, source: MediaInput, target: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that gives each frame its own packet; only when they are read again do they get true times.

    Args:
        facts: with a picture.
        source: the AVI file.
        target: the AVI file to write: the picture, then the sound.
        settings: the ffmpeg command.
    """
    file = open_source(source, settings)
    streams = [file[str(stream.index)] for stream in (facts.video, facts.audio) if stream is not None]
    coding = {"c": "copy", "bsf:v": "mpeg4_unpack_bframes", "f": "avi"}
    return ffmpeg_argv([ffmpeg.output(*streams, target, **coding)], settings, *KEEP_GOING)


def repackage_argv(
    facts: MediaFacts, source: MediaInput, target: str, settings: EncodingSettings, unpacked: MediaInput | None = None
) -> list[str]:
    """The ffmpeg command that copies picture, sound and text subtitles into a seekable file.

    Args:
        facts: the streams.
        source: the file.
        target: the file to write.
        settings: the ffmpeg command.
        unpacked: where picture and sound are read from, as written by `unpack_argv`; None: from the source.
    """
    file = open_source(source, settings, **SOURCE_OPTIONS)
    kept = [stream for stream in (facts.video, facts.audio) if stream is not None]
    if unpacked is None:
        streams = [file[str(stream.index)] for stream in kept]
    else:
        copied = open_source(unpacked, settings, **SOURCE_OPTIONS)
        streams = [copied[str(index)] for index, _ in enumerate(kept)]
    streams += [file[str(stream.index)] for stream in facts.text_subtitles]
    coding = CODING | store_video(facts) | _clock_filter(facts) | _sound_filter(facts)
    return ffmpeg_argv([ffmpeg.output(*streams, target, f="matroska", **coding)], settings, *KEEP_GOING)


def _clock_filter(facts: MediaFacts) -> dict[str, str]:
    """AVI states when packets are decoded. Where frames are shown in that order, ffmpeg would put each one too late."""
    video = facts.video
    if facts.format_name != "avi" or video is None or video.codec not in LATE_CODECS or video.lacks_times:
        return {}
    return {"bsf:v": "setts=pts=DTS"}


def _sound_filter(facts: MediaFacts) -> dict[str, str]:
    filters = []
    if facts.audio is not None and facts.audio.channels > LAID_OUT_CHANNELS:
        filters.append(f"pan={mean_of(facts.audio.channels)}")
    if not EXACT_CLOCKS.isdisjoint(facts.format_name.split(",")):
        # where clips are joined whose sound is shorter than their picture, silence keeps what follows in its place
        filters.append(f"aresample=async=1:min_hard_comp={SHORTEST_GAP_S}")
    return {"filter:a": ",".join(filters)} if filters and facts.audio is not None else {}


def repackage(
    facts: MediaFacts, source: Key, work: Workspace, folder_name: str = REPACKAGED_FOLDER
) -> tuple[Key, tuple[str, ...]]:
    """Write the repackaged source into the job's work folder.

    Args:
        facts: of the source.
        source: its key.
        work: the step's workspace.
        folder_name: of the new file.

    Returns:
        The key of the new file, and a sentence if it was made without the sound, which cannot be decoded.

    Raises:
        PermanentError: the streams cannot be copied.
        RetryableError: the source does not exist.
    """
    log: tuple[str, ...] = ()
    with work.writing(folder_name) as folder:
        target = str(folder / FILE)
        try:
            _copy_streams(facts, source, target, work)
        except PermanentError as error:
            # a full disk, for example, is no reason to lose the sound
            if facts.video is None or facts.audio is None or gives_sound(source, facts.audio, work):
                raise
            try:
                _copy_streams(facts.model_copy(update={"audio": None}), source, target, work)
            except PermanentError:
                raise error from None
            log = ("The sound of the video cannot be decoded: it is left out.",)
    return work.key(f"{folder_name}/{FILE}"), log


def _copy_streams(facts: MediaFacts, source: Key, target: str, work: Workspace) -> None:
    file = work.storage.input_of(source)
    limits = repackage_limits(facts, work.storage.size_bytes(source), work.settings)
    access = Access((file,), Path(target).parent)
    packed = facts.video is not None and facts.video.packs_frames
    try:
        if packed:
            with TemporaryDirectory(dir=Path(target).parent) as folder:
                unpacked = MediaInput(url=f"{folder}/unpacked.avi", protocols=("file",), name=file.name)
                work.run(unpack_argv(facts, file, unpacked.url, work.settings), access=access, limits=limits)
                work.run(repackage_argv(facts, file, target, work.settings, unpacked), access=access, limits=limits)
        else:
            work.run(repackage_argv(facts, file, target, work.settings), access=access, limits=limits)
    except PermanentError as error:
        detail = f"The streams of {file.name!r} cannot be repackaged: {error.detail}"
        raise PermanentError(detail, kind=error.kind or FailureKind.DAMAGED, **error.context) from error
