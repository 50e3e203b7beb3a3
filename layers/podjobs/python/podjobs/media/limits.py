"""What an upload may cost: the longest media that is accepted, as stated by its header and as it turns out. Pure."""

from collections.abc import Callable

from podjobs.contract.commands import CommandLimits
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.media.settings import SourceSettings

LARGEST_FILE_BYTES = 16 << 30
"""No command writes a larger file, unless it says so itself."""
SMALL_FILE_BYTES = 256 << 20
"""For text and pictures: a picture of 8192 × 8192 pixels, as a PNG that cannot be compressed, is as large."""
SLACK_S = 60.0
"""How much longer than accepted a source may turn out to be while it runs: it was accepted by its header."""

Progress = Callable[[dict[str, str]], None]
"""Called with each block of ffmpeg's `-progress` output."""


def check_length(name: str, length_s: float | None, settings: SourceSettings) -> None:
    """Refuse media that are too long, before anything is planned for each minute of them.

    Args:
        name: of the file, as people know it.
        length_s: as far as it is known; None: it is not.
        settings: the limit.

    Raises:
        PermanentError: they are.
    """
    longest_s = settings.podjobs_max_duration_s
    if length_s is not None and not length_s <= longest_s:  # not a number is too long
        detail = f"The file {name!r} is {length_s / 3600:,.1f} h long, {_remedy(longest_s)}"
        raise PermanentError(detail, kind=FailureKind.TOO_LONG)


def watch_length(name: str, settings: SourceSettings, on_progress: Progress | None = None) -> Progress:
    """Watch a command whose source may be longer than its header says.

    Args:
        name: of the file, as people know it.
        settings: the limit.
        on_progress: called as well.

    Returns:
        What the command calls; it raises PermanentError, which ends the command, once its output is too long.
    """
    longest_s = settings.podjobs_max_duration_s

    def watch(block: dict[str, str]) -> None:
        written_us = block.get("out_time_us", "")
        if written_us.isdigit() and int(written_us) > (longest_s + SLACK_S) * 1_000_000:
            detail = f"The file {name!r} goes on and on, {_remedy(longest_s)}"
            raise PermanentError(detail, kind=FailureKind.TOO_LONG)
        if on_progress is not None:
            on_progress(block)

    return watch


def _remedy(longest_s: float) -> str:
    return (
        f"at most {longest_s / 3600:g} h are accepted. Upload it in parts, or raise PODJOBS_MAX_DURATION_S if that is "
        "right."
    )


def usual_limits(timeout_s: int) -> CommandLimits:
    """The limits of commands that have none of their own: no more processor time than their step has time.

    Args:
        timeout_s: of the step.
    """
    return CommandLimits(cpu_s=timeout_s, file_bytes=LARGEST_FILE_BYTES)
