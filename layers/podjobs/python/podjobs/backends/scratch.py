"""Local folders for the files of running steps."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Scratch:
    """Where running steps keep files until they are uploaded."""

    def __init__(self, parent: Path | None, limit_bytes: int) -> None:
        """Remember where it is."""
        self._parent, self._limit_bytes = parent, limit_bytes

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Provide an empty folder, which is removed at the end."""
        folder = Path(tempfile.mkdtemp(dir=self._parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
