"""Every backend of the `Storage` port, ready to be tested: a new one joins by one more row at the end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from podjobs.backends.storage import open_storage
from podjobs.contract.ports import Storage
from podjobs.settings import MediaSettings

POD_ROOT = "/usr/local/pod/media"
"""Another path than the real one: what Pod calls its media root need not exist here."""


@dataclass(frozen=True)
class MediaStorage:
    """An empty place for media, which any number of processes may open."""

    environment: dict[str, str]
    """The settings that name it."""
    list_everything: Callable[[], set[str]]
    """The keys of everything there, also of what the storage does not list."""

    def open(self) -> Storage:
        """Open it, as a function does when it starts."""
        return open_storage(
            MediaSettings.model_validate({name.lower(): value for name, value in self.environment.items()})
        )

    def work_left(self) -> set[str]:
        """What is left in work folders, and the folders themselves."""
        return {key for key in self.list_everything() if key.split("/")[0] == "work"}


@contextmanager
def files(folder: Path) -> Iterator[MediaStorage]:
    """A folder."""
    root = folder / "the media"
    root.mkdir()
    yield MediaStorage(
        {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": root.as_uri()},
        lambda: {str(path.relative_to(root)) for path in root.rglob("*")},
    )


STORAGES: dict[str, Callable[[Path], AbstractContextManager[MediaStorage]]] = {"file": files}
"""Scheme of MEDIA_URL → what makes an empty one, given a local folder to work in."""
