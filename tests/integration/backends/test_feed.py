"""Feeding commands: files one after another, and what cannot be read is never taken for the end."""

import errno
import io
import queue
from pathlib import Path

import psutil
import pytest

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.contract.commands import NOTHING, Access
from podjobs.contract.errors import (
    MissingFileError,
    OperatorNeededError,
    PermanentError,
    RetryableError,
)
from support.processes import wait_for

SANDBOX = choose_sandbox()
TOOLS = ProcessTools(4 << 30, SANDBOX)


def run(*argv, timeout_s=20, access=NOTHING, **options):
    return TOOLS.run(argv, timeout_s=timeout_s, access=access, **options).decode()


def test_run_feeds_files_one_after_another(tmp_path):
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode() * 200_000)
    assert run("md5sum", feed=(path.open("rb") for path in paths)) == run(
        "sh", "-c", f"cat {' '.join(map(str, paths))} | md5sum", access=Access(tuple(paths))
    )


def test_run_command_that_stops_reading_reports_its_own_error(tmp_path):
    (tmp_path / "big").write_bytes(bytes(10_000_000))
    with pytest.raises(CommandError, match="exit status 7: enough"):
        run("sh", "-c", "head -c 10 > /dev/null; echo enough >&2; exit 7", feed=[(tmp_path / "big").open("rb")])


class Shelf:
    """Files to feed that count how many of them are open; one may be unreadable."""

    def __init__(self, contents, faults=None):
        self.contents, self.faults = contents, faults or {}
        self.taken, self.most_open, self.opened = 0, 0, []
        self.is_closed = False

    def files(self):
        try:
            for number, content in enumerate(self.contents):
                self.taken += 1
                if "open" in self.faults.get(number, {}):
                    raise self.faults[number]["open"]
                self.opened.append(ShelfFile(content, self.faults.get(number, {})))
                self.most_open = max(self.most_open, len(self.opened) - sum(file.closed for file in self.opened))
                yield self.opened[-1]
        finally:
            self.is_closed = True

    @property
    def is_left_open(self):
        return not self.is_closed or not all(file.closed for file in self.opened)


class ShelfFile(io.BytesIO):
    """A file of a shelf; the second half of it may be unreadable."""

    def __init__(self, content, faults):
        super().__init__(content)
        self.name, self.half, self.faults = "/there/chunk?X-Amz-Signature=5EcReT", len(content) // 2, faults

    def read(self, size=-1):
        if "read" not in self.faults:
            return super().read(size)
        if self.tell() >= self.half:
            raise self.faults["read"]
        return super().read(min(size, self.half - self.tell()))


def test_run_opens_a_file_to_feed_when_the_one_before_it_is_read():
    """Connections to object storage that wait for their turn would be cut."""
    shelf = Shelf([bytes(300_000)] * 50)
    assert run("wc", "-c", feed=shelf.files()).strip() == "15000000"
    assert (shelf.taken, shelf.most_open, shelf.is_left_open) == (50, 1, False)


def test_run_feeds_no_file_that_the_command_does_not_ask_for():
    shelf = Shelf([bytes(1_000_000)] * 50)
    assert run("head", "-c", "10", feed=shelf.files()) == "\0" * 10
    assert shelf.taken < 5
    assert not shelf.is_left_open


def test_run_nothing_to_feed_is_an_empty_input():
    assert run("wc", "-c", feed=Shelf([]).files()).strip() == "0"


@pytest.mark.parametrize("number", [0, 1, 7])
@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ({"read": OSError(5, "Input/output error")}, RetryableError, "cannot be read: .*Input/output error"),
        ({"open": OSError(5, "Input/output error")}, RetryableError, "cannot be read: .*Input/output error"),
        ({"read": MissingFileError("It is gone.")}, MissingFileError, "It is gone"),
        ({"open": PermanentError("It is no file.")}, PermanentError, "It is no file"),
        ({"open": KeyError("a bug")}, KeyError, "a bug"),
    ],
)
def test_run_file_that_cannot_be_fed_kills_the_command_and_is_the_error(tmp_path, number, fault, error, said):
    """What the command has got so far must not pass for the whole."""
    shelf = Shelf([bytes(300_000)] * 8, {number: fault})
    with pytest.raises(error, match=said) as failed:
        run("sh", "-c", f"cat > {tmp_path}/got; touch {tmp_path}/whole", access=Access(folder=tmp_path),
            feed=shelf.files())  # fmt: skip
    assert not (tmp_path / "whole").exists()
    assert "5EcReT" not in str(failed.value)
    assert not shelf.is_left_open


def test_run_file_that_cannot_be_fed_to_a_command_that_has_ended_well_is_no_error():
    """It did not need it."""
    pids = queue.Queue()

    class Late(io.BytesIO):
        def read(self, _=-1):
            command = psutil.Process(int(pids.get(timeout=20)))
            wait_for(lambda: not command.is_running() or command.status() == psutil.STATUS_ZOMBIE, 20)
            raise OSError(5, "Input/output error")

    script = "head -c 17 > /dev/null; echo pid=$$; echo progress=end"
    run(
        "sh",
        "-c",
        script,
        feed=[io.BytesIO(b"all that it needs"), Late()],
        on_progress=lambda block: pids.put(block["pid"]),
    )


def test_run_command_that_cannot_be_started_leaves_no_file_open():
    shelf = Shelf([b"content"] * 3)
    with pytest.raises(Exception, match="no-such-command"):
        ProcessTools(4 << 30, SANDBOX).run(
            ["no-such-command"], timeout_s=5, access=Access((Path("/no/such/file"),)), feed=shelf.files()
        )
    assert not shelf.is_left_open


class BreaksOff(io.RawIOBase):
    """A file that cannot be read to its end."""

    def __init__(self, error):
        self._error, self._left = error, [b"the beginning"]

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self._left:
            raise self._error
        content = self._left.pop()
        buffer[: len(content)] = content
        return len(content)


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (OSError(errno.EIO, "broken"), RetryableError, "cannot be read: .* broken"),
        (OperatorNeededError("The credentials are refused."), OperatorNeededError, "credentials are refused"),
    ],
)
def test_run_what_is_fed_and_breaks_off_is_not_taken_for_all_of_it(error, raised, said):
    with pytest.raises(raised, match=said):
        run("cat", feed=[io.BufferedReader(BreaksOff(error))])
