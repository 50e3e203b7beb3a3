"""How encoding builds its ffmpeg commands with ffmpeg-python. Pure."""

from collections.abc import Sequence
from typing import Any

import ffmpeg

from podjobs.contract.commands import MediaInput
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.commands import QUIET, UNATTENDED, input_options

OVERWRITE = ("-y",)
"""ffmpeg option: overwrite files, as there is nobody to ask."""


def open_source(source: MediaInput, settings: EncodingSettings, **options: Any) -> Any:
    """Create ffmpeg-python's input for an uploaded file.

    Args:
        source: the file.
        settings: what is accepted in it.
        options: further input options.
    """
    return ffmpeg.input(source.url, **input_options(source, settings), **options)


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
