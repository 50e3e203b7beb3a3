"""What all ffmpeg commands of this subject have in common: how they read uploads, and how they behave. Pure."""

from collections.abc import Sequence
from typing import Any

import ffmpeg

from podjobs.contract.ports import MediaInput
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.probe import read_options

QUIET = ("-hide_banner", "-nostats", "-loglevel", "error")
"""ffmpeg options: stderr holds errors alone; where the command fails, the end of it explains why."""
UNATTENDED = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")
"""The same, and no keys are read: ffmpeg takes what it finds on stdin for commands such as «quit»."""
OVERWRITE = ("-y",)
"""ffmpeg option: nobody is there to be asked."""


def open_source(source: MediaInput, settings: EncodingSettings, **options: Any) -> Any:
    """Make ffmpeg-python's input of an uploaded file.

    Args:
        source: what ffmpeg reads.
        settings: what may be in it.
        options: further input options.
    """
    return ffmpeg.input(source.url, **read_options(source, settings), **options)


def ffmpeg_argv(
    outputs: Sequence[Any], settings: EncodingSettings, *extra: str, feeds_stdin: bool = False
) -> list[str]:
    """Write the command that makes some outputs.

    Args:
        outputs: of ffmpeg-python.
        settings: ffmpeg's name.
        extra: further options.
        feeds_stdin: an input is read from stdin.
    """
    options = (*(QUIET if feeds_stdin else UNATTENDED), *OVERWRITE, *extra)
    return list(ffmpeg.merge_outputs(*outputs).global_args(*options).compile(cmd=settings.ffmpeg_cmd))
