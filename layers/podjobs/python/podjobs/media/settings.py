"""The settings of all functions that read media: their tools, and what they accept."""

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from podjobs.media.codecs import DEFAULT, name_codecs
from podjobs.settings import MediaSettings


class SourceSettings(MediaSettings):
    """What a function needs to run ffmpeg on uploads."""

    ffmpeg_cmd: str = Field(default="ffmpeg", description="The ffmpeg command: a name on PATH or an absolute path.")
    ffprobe_cmd: str = Field(default="ffprobe", description="The ffprobe command.")
    podjobs_codecs: Annotated[tuple[str, ...], AfterValidator(name_codecs)] = Field(
        default=(DEFAULT,),
        validate_default=True,
        description="Codecs that are accepted in uploads, as a JSON list of ffmpeg's names. `default` stands for ours "
        '(podjobs/media/codecs.py): `["default", "snow"]` accepts one more.',
    )
    podjobs_max_pixels: PositiveInt = Field(
        default=8192 * 8192, description="Largest accepted picture, width times height."
    )
    podjobs_max_duration_s: PositiveInt = Field(
        default=12 * 3600,
        description="Longest accepted video or sound, in seconds, after its cut and with its credits.",
    )
    podjobs_max_streams: PositiveInt = Field(default=64, description="Maximum number of streams in an upload.")
    podjobs_ffmpeg_memory_mb: Annotated[int, Field(ge=512)] = Field(
        default=8192, description="Maximum address space of an ffmpeg process, in MiB."
    )
    podjobs_sandbox: Literal["auto", "require", "off"] = Field(
        default="auto",
        description="Whether media commands are confined to their own files, without secrets and network: `auto`: as "
        "far as this machine can, and what is missing is said at the start; `require`: without all of it, the function "
        "does not start; `off`: not at all.",
    )

    @property
    def processors(self) -> int:
        """Processors this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
