"""What `scripts/run` is asked for, what comes of it, and where it is done."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from local.following import follow
from local.page import Captions
from local.recording import Recorded
from local.stack import Stack
from local.transports import Transport
from podjobs.contract.job_states import JobState


class RunError(Exception):
    """The demonstration cannot continue; the message says why and what to do."""


@dataclass(frozen=True)
class Demonstration:
    """What the person at the terminal wants."""

    video: Path | None
    """None: a sample is made, unless there is a recording."""
    cut: tuple[float, float]
    """Seconds; 0, 0: the whole video."""
    output: Path | None
    """None: demo/<name> in the current folder."""
    shows_page: bool
    language: str = ""
    """The language to transcribe it in; empty: not at all."""
    on_s3: bool = False
    """Whether the media are kept on an S3 server of its own, not in a folder."""
    transport: Transport = Transport.HTTP
    """How the adapter reaches the functions."""
    recording: Recorded | None = None
    """What is composed first."""
    through_runner: bool = False
    """Whether it is requested through the runner API, as Pod from 4.2 on does, and not by Celery messages."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files that were named."""
        if self.recording:
            return self.recording.sources
        return (self.video,) if self.video else ()


@dataclass(frozen=True)
class Outcome:
    """The result of an encoding that succeeded."""

    title: str
    folder: Path
    """Where the files are."""
    took_s: float
    captions: Captions | None = None
    """Its captions, in the same folder; None: it was not transcribed, or nobody speaks in it."""
    composed: tuple[Path, ...] = ()
    """What was composed, and its log; empty: nothing."""


@dataclass(frozen=True)
class Place:
    """Where a demonstration is done."""

    stack: Stack
    output: Path
    """Where the person at the terminal finds everything."""
    console: Console

    @property
    def media(self) -> Path:
        """The media root, or what takes its place if that is no folder."""
        return self.output / "media"

    def wait_for(self, job_id: str, name: str) -> None:
        """Show a job's progress until it is done.

        Args:
            job_id: of the job.
            name: how it is called there.

        Raises:
            RunError: it has not succeeded.
        """
        end = follow(self.stack, job_id, name, self.console)
        if end.state != JobState.DONE:
            raise RunError(f"The job ended as {end.state!r}. {end.error or f'{self.output}/stack.log says more.'}")


NO_SOUND = "The video has no sound: there is nothing to transcribe. Run it without --transcribe."
