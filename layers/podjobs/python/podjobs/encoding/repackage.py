"""Repackages a source whose container seeks badly into Matroska, so that it can be cut into chunks.

The picture is copied, the sound is kept without loss.
"""

from typing import Any

import ffmpeg

from podjobs.contract.errors import PermanentError
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import MediaFacts
from podjobs.media.probe import KEEP_GOING, read_options

FOLDER = "source"
FILE = "source.mkv"
BYTES_PER_S = 5_000_000
"""What a slow shared folder gives, for the time limit."""


def repackage_argv(facts: MediaFacts, source: str, target: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that brings picture, sound and text subtitles into a file that can be searched.

    Args:
        facts: which streams.
        source: what ffmpeg reads.
        target: the file that is written.
        settings: ffmpeg's name.
    """
    # AVI stores no presentation times; damaged packets of a recording are left out
    options: dict[str, Any] = {**read_options(settings), "fflags": "+genpts+discardcorrupt"}
    file = ffmpeg.input(source, **options)
    kept = [stream for stream in (facts.video, facts.audio) if stream is not None] + list(facts.text_subtitles)
    # The sound is decoded: broadcasts change its form on the way, and Matroska does not take every codec.
    coding = {"c": "copy", "c:a": "flac", "sample_fmt": "s16", "allow_raw_vfw": 1}
    streams = (file[str(stream.index)] for stream in kept)
    command = ffmpeg.output(*streams, target, f="matroska", **coding).global_args(
        "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y", *KEEP_GOING
    )
    return list(command.compile(cmd=settings.ffmpeg_cmd))


def repackage(facts: MediaFacts, source: str, work: Workspace) -> str:
    """Write the repackaged source into the job's work folder.

    Args:
        facts: of the source.
        source: its key.
        work: where and with what.

    Returns:
        The key of the new file.

    Raises:
        PermanentError: the streams cannot be copied.
    """
    with work.writing(FOLDER) as folder:
        try:
            work.run(repackage_argv(facts, work.storage.input_of(source).url, str(folder / FILE), work.settings))
        except PermanentError as error:
            name = work.storage.pod_path(source)
            detail = f"The streams of {name!r} cannot be repackaged: {error.detail}"
            raise PermanentError(detail, **error.context) from error
    return work.key(f"{FOLDER}/{FILE}")
