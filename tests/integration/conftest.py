"""For tests with real files: a second file system."""

import shutil
import tempfile
from pathlib import Path

import pytest

OTHER_FILE_SYSTEM = Path("/dev/shm")  # noqa: S108 - in memory, hence another file system than the tests' folder


@pytest.fixture
def elsewhere(tmp_path):
    """A folder on another file system than the test's own."""
    if not OTHER_FILE_SYSTEM.is_dir() or OTHER_FILE_SYSTEM.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    folder = Path(tempfile.mkdtemp(dir=OTHER_FILE_SYSTEM))
    yield folder
    shutil.rmtree(folder)
