"""How ffmpeg is, and how it is confined: looked at when an operator asks, by the functions that use it."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from podjobs.backends.sandbox_choice import Mode, advise, choose_sandbox
from podjobs.contract.examinations import Finding
from podjobs.contract.looks import TOOLS, Look, found
from podjobs.contract.redaction import redact

ASK_S = 10
NAMED = 5
"""So many missing codecs are named."""


class ToolSettings(Protocol):
    """What is looked at."""

    ffmpeg_cmd: str
    ffprobe_cmd: str
    podjobs_sandbox: Mode


def tool_looks(settings: ToolSettings, encoders: Sequence[str], decoders: Iterable[str]) -> list[Look]:
    """What to look at.

    Args:
        settings: of the function.
        encoders: that ffmpeg must have, by ffmpeg's names.
        decoders: that it must have to read common uploads.
    """
    return [
        Look(TOOLS, "ffmpeg", lambda: _look_at_ffmpeg(settings, encoders, tuple(decoders))),
        Look(TOOLS, "ffprobe", lambda: [found(TOOLS, "ffprobe", *_version("FFPROBE_CMD", settings.ffprobe_cmd))]),
        Look(TOOLS, "sandbox", lambda: [_look_at_sandbox(settings)]),
    ]


def _look_at_ffmpeg(settings: ToolSettings, encoders: Sequence[str], decoders: Sequence[str]) -> Iterator[Finding]:
    command = settings.ffmpeg_cmd
    fault, version = _version("FFMPEG_CMD", command)
    if not fault:
        lacks = missing_codecs(_ask(command, "-encoders"), encoders)
        fault = _lacking(command, "encoders", lacks)
    if not fault:
        fault = _lacking(command, "decoders", missing_codecs(_ask(command, "-decoders"), decoders))
    yield found(TOOLS, "ffmpeg", fault, version)


def _lacking(command: str, what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(names[:NAMED])
    return f"FFMPEG_CMD: {command!r} lacks the {what} {listed}. Install an ffmpeg that has them, or name its path."


def missing_codecs(listing: str, wanted: Iterable[str]) -> list[str]:
    """Which codecs `ffmpeg -encoders` or `-decoders` does not list. Pure."""
    listed = {words[1] for line in listing.splitlines() if len(words := line.split()) > 1}
    return [name for name in wanted if name not in listed]


def _version(setting: str, command: str) -> tuple[str, str]:
    """What is wrong with a command, and its first line otherwise."""
    if shutil.which(command) is None:
        return f"{setting}: the command {command!r} is not found. Install it, or name its path.", ""
    try:
        said = _ask(command, "-version")
    except (OSError, subprocess.SubprocessError) as error:
        return f"{setting}: the command {command!r} does not run ({redact(str(error))}). Install one that does.", ""
    return "", " ".join(said.partition("\n")[0].split()[:3])


def _ask(command: str, option: str) -> str:
    # what it is asked involves no media: it needs no sandbox
    argv = [command, "-hide_banner", option] if option != "-version" else [command, option]
    asked = subprocess.run(argv, capture_output=True, timeout=ASK_S, check=True, stdin=subprocess.DEVNULL)
    return asked.stdout.decode("utf-8", "replace")


def _look_at_sandbox(settings: ToolSettings) -> Finding:
    if settings.podjobs_sandbox == "off":
        fault = "Media commands are not confined: PODJOBS_SANDBOX is off. Set it to auto or require."
        return found(TOOLS, "sandbox", fault)
    sandbox = choose_sandbox(settings.podjobs_sandbox, (settings.ffmpeg_cmd, settings.ffprobe_cmd))
    return found(TOOLS, "sandbox", advise(sandbox), "Media commands are fully confined.")
