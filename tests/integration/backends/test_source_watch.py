"""Commands are watched while they run: what goes on without its source, or after its job's end, is stopped soon."""

import errno
import threading
import time
from contextlib import contextmanager

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.process import CommandError, ProcessTools
from podjobs.contract.commands import NOTHING, Access
from podjobs.contract.errors import PermanentError, RetryableError, SourceGoneError
from podjobs.media.source_watch import SourceWatch, WatchedTools
from support.forward_only import ForwardOnlyStorage

TOOLS = ProcessTools(memory_limit_bytes=4 << 30)
SOURCE = "videos/talk.mp4"
BEGUN_S = 0.5
NOTICED_S = 7
"""Two looks, two seconds apart, and what a busy machine takes for them."""


@pytest.fixture
def storage(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / SOURCE).touch()
    return FileStorage(tmp_path, "/media")


@contextmanager
def meanwhile(deed):
    """Do something while a command runs, which must end soon after."""
    timer = threading.Timer(BEGUN_S, deed)
    timer.start()
    begun = time.monotonic()
    try:
        yield
    finally:
        timer.join()
        assert BEGUN_S < time.monotonic() - begun < BEGUN_S + NOTICED_S


def watched(storage):
    return WatchedTools(TOOLS, SourceWatch(storage, SOURCE, "job-1"))


@pytest.mark.parametrize(
    "on_progress", [None, pytest.param(lambda _: None, marks=pytest.mark.slow)], ids=["output", "progress"]
)
def test_command_whose_source_is_deleted_is_stopped_soon(storage, on_progress):
    """Although it has the file open."""
    source = storage.input_of(SOURCE)
    argv = ["tail", "-f", source.url]
    with meanwhile(lambda: storage.delete(SOURCE)), pytest.raises(SourceGoneError, match=r"talk\.mp4' is not there"):
        watched(storage).run(argv, timeout_s=60, access=Access((source,)), on_progress=on_progress)


def test_command_of_a_job_that_has_ended_is_stopped_soon(storage):
    storage.start_work("job-1")
    with meanwhile(lambda: storage.remove_work("job-1")), pytest.raises(RetryableError, match="job-1 has ended or was"):
        watched(storage).run(["sleep", "60"], timeout_s=60, access=NOTHING)


@pytest.mark.slow
def test_command_of_a_job_that_has_no_work_folder_yet_is_not_stopped(storage):
    assert watched(storage).run(["sleep", "4.5"], timeout_s=60, access=NOTHING) == b""


class Hiccup(ForwardOnlyStorage):
    """A shared folder that does not answer."""

    answers = True

    def open(self, key):
        if not self.answers:
            raise OSError(errno.ESTALE, "Stale file handle")
        return super().open(key)


def test_command_is_not_stopped_by_a_source_that_is_missed_once_or_a_storage_that_does_not_answer(storage, tmp_path):
    """Shared folders have hiccups."""
    hiccup = Hiccup(storage)
    look = SourceWatch(hiccup, SOURCE, "job-1").look()
    look()
    (tmp_path / SOURCE).unlink()
    look()
    hiccup.answers = False
    for _ in range(3):
        look()
    hiccup.answers = True
    look()
    (tmp_path / SOURCE).touch()
    look()
    (tmp_path / SOURCE).unlink()
    look()
    with pytest.raises(SourceGoneError):
        look()


def test_command_that_fails_by_itself_says_why(storage):
    with pytest.raises(CommandError, match="exit status 3"):
        watched(storage).run(["sh", "-c", "exit 3"], timeout_s=60, access=NOTHING)


def test_step_that_fails_for_want_of_its_source_says_so(storage):
    with pytest.raises(SourceGoneError), SourceWatch(storage, SOURCE, "job-1").step():
        _fail_without(storage)


def _fail_without(storage):
    storage.delete(SOURCE)
    raise PermanentError("The file is damaged.")
