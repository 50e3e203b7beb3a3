"""What all ffmpeg commands of encoding have in common: how they read uploads, and their general options. Pure."""

from collections.abc import Sequence
from typing import Any

import ffmpeg

from podjobs.contract.ports import MediaInput
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.probe import read_options

QUIET = ("-hide_banner", "-nostats", "-loglevel", "error")
"""ffmpeg options: only errors go to stderr; if the command fails, the end of stderr explains why."""
UNATTENDED = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error")
"""The same, and stdin is not read: ffmpeg would interpret it as commands such as «quit»."""
OVERWRITE = ("-y",)
"""ffmpeg option: overwrite files, as there is nobody to ask."""


def open_source(source: MediaInput, settings: EncodingSettings, **options: Any) -> Any:
    """Make ffmpeg-python's input of an uploaded file.

    Args:
        source: ffmpeg's input.
        settings: what is accepted in it.
        options: further input options.
    """
    return ffmpeg.input(source.url, **read_options(source, settings), **options)


def ffmpeg_argv(
    outputs: Sequence[Any], settings: EncodingSettings, *extra: str, feeds_stdin: bool = False
) -> list[str]:
    """Build the command for some outputs.

    Args:
        outputs: of ffmpeg-python.
        settings: the ffmpeg command.
        extra: further options.
        feeds_stdin: whether an input is read from stdin.
    """
    options = (*(QUIET if feeds_stdin else UNATTENDED), *OVERWRITE, *extra)
    return list(ffmpeg.merge_outputs(*outputs).global_args(*options).compile(cmd=settings.ffmpeg_cmd))
