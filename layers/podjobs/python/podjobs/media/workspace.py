"""The workspace of a step: its job's work folder, the tools, the settings, and its time limit."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools
from podjobs.media.limits import usual_limits
from podjobs.media.settings import SourceSettings

S = TypeVar("S", bound=SourceSettings)
"""The settings of the subject."""


@dataclass(frozen=True)
class MediaWorkspace(Generic[S]):
    """What every step that reads media receives besides its job and its own parameters."""

    job_id: str
    tools: Tools
    storage: Storage
    settings: S
    timeout_s: int
    """For each command of the step."""

    def key(self, name: str) -> Key:
        """The key of a work file."""
        return self.storage.work_key(self.job_id, name)

    def input_of(self, name: str) -> MediaInput:
        """A work file for ffmpeg. Raises RetryableError if it does not exist."""
        return self.storage.input_of(self.key(name))

    def writing(self, folder: str) -> AbstractContextManager[Path]:
        """A local folder whose files appear in a folder of the work folder on a clean exit; see the `Storage` port."""
        return self.storage.writing(self.key(folder))

    def run(
        self,
        argv: Sequence[str],
        *,
        access: Access,
        feed: Iterable[BinaryIO] = (),
        on_progress: Callable[[dict[str, str]], None] | None = None,
        limits: CommandLimits | None = None,
    ) -> str:
        """Run a command within the step's time and return what it wrote as text; see the `Tools` port.

        Without limits of its own, the command has those of `usual_limits`.
        """
        limits = limits or usual_limits(self.timeout_s)
        output = self.tools.run(
            argv, timeout_s=self.timeout_s, access=access, feed=feed, on_progress=on_progress, limits=limits
        )
        return output.decode("utf-8", "replace")
