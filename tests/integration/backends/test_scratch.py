"""Local folders of running steps: each is a step's own, for as long as it runs, and only where there is room."""

import errno
import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.backends.scratch import Scratch
from podjobs.contract.commands import Access
from podjobs.contract.errors import (
    UNAVAILABLE,
    NotNowError,
    OperatorNeededError,
    PermanentError,
    Problem,
    RetryableError,
    UnavailableError,
)
from support.scratch_steps import do_step, folders_left, home_in, leave_folder

TOOLS = ProcessTools(memory_limit_bytes=4 << 30)
OTHER_USER = 65534


class KilledError(BaseException):
    """As if the process was killed."""


@pytest.fixture
def scratch(tmp_path):
    return Scratch(tmp_path, 0)


@pytest.fixture
def other_s_folder(tmp_path):
    """The scratch folder of another user, beside ours."""
    if os.geteuid():
        pytest.skip("only root may act as another user")
    folder = tmp_path / f"podjobs-scratch-{OTHER_USER}"
    folder.mkdir(mode=0o777)
    os.chown(folder, OTHER_USER, OTHER_USER)
    return folder


def test_folder_is_empty_the_step_s_own_and_gone_afterwards(scratch, tmp_path):
    with scratch.folder() as one, scratch.folder() as other:
        assert one != other
        for folder in (one, other):
            assert list(folder.iterdir()) == []
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (one / "chunk").write_bytes(b"content")
        (one / "below").mkdir()
        assert list(other.iterdir()) == []
    assert folders_left(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, KilledError])
def test_folder_is_gone_whatever_the_step_ended_with(scratch, tmp_path, error):
    with pytest.raises(error):
        do_step(scratch, error)
    assert folders_left(tmp_path) == []


def test_folder_is_by_default_where_the_system_has_its_temporary_files():
    with Scratch(None, 0).folder() as folder:
        assert folder.is_relative_to(tempfile.gettempdir())


def test_folder_is_the_user_s_alone_whatever_the_umask(scratch, tmp_path):
    before = os.umask(0)
    try:
        with scratch.folder() as folder:
            modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent, folder.parent.parent)}
    finally:
        os.umask(before)
    assert modes == {0o700}


@pytest.mark.parametrize("prepare", ["a folder", "a link", "a link to nothing", "a file"])
def test_folder_that_another_user_has_prepared_is_refused(prepare, tmp_path, other_s_folder):
    home = home_in(tmp_path)
    treasure = other_s_folder / "treasure"
    treasure.mkdir()
    (treasure / "file").write_bytes(b"not ours")
    match prepare:
        case "a folder":
            home.mkdir(mode=0o777)
        case "a link":
            home.symlink_to(other_s_folder)
        case "a link to nothing":
            home.symlink_to(tmp_path / "nothing")
        case "a file":
            home.write_bytes(b"")
    os.lchown(home, OTHER_USER, OTHER_USER)
    with pytest.raises(OperatorNeededError, match=f"user {OTHER_USER} has put something else there") as failed:
        do_step(Scratch(tmp_path, 0))
    assert str(home) in failed.value.detail
    assert "PODJOBS_SCRATCH" in failed.value.detail
    assert (treasure / "file").read_bytes() == b"not ours"
    assert not (tmp_path / "nothing").exists()


def test_link_of_our_own_is_refused_too(tmp_path, elsewhere):
    (home_in(tmp_path)).symlink_to(elsewhere)
    with pytest.raises(OperatorNeededError, match="is not a folder"):
        do_step(Scratch(tmp_path, 0))


def test_folders_of_other_users_stay(scratch, tmp_path, other_s_folder):
    (other_s_folder / "files").mkdir()
    do_step(scratch)
    assert (other_s_folder / "files").exists()


def test_links_among_leftovers_are_not_followed(scratch, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"content")
    leftover = leave_folder(tmp_path)
    (leftover / "files" / "link").symlink_to(precious)
    (leftover.parent / "link").symlink_to(precious)
    leave_folder(tmp_path, lock=False).joinpath("lock").symlink_to(precious / "file")
    do_step(scratch)
    assert not leftover.exists()
    assert (precious / "file").read_bytes() == b"content"
    assert [path.name for path in precious.iterdir()] == ["file"]


def test_folder_with_a_wrong_mode_becomes_ours_alone_again(scratch, tmp_path):
    do_step(scratch)
    (home,) = tmp_path.iterdir()
    home.chmod(0o2777)
    do_step(scratch)
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_parent_that_is_no_folder_needs_an_operator(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(OperatorNeededError, match=r"is not there\. Create it, or correct PODJOBS_SCRATCH"):
        do_step(Scratch(tmp_path / name, 0))


def test_parent_that_may_not_be_written_needs_an_operator(tmp_path):
    closed = Path("/proc")
    with pytest.raises((OperatorNeededError), match="PODJOBS_SCRATCH"):
        do_step(Scratch(closed, 0))


def test_no_more_steps_are_begun_than_may_keep_files(tmp_path):
    scratch = Scratch(tmp_path, 1 << 20)
    with scratch.folder() as folder:
        (folder / "chunk").write_bytes(bytes(1 << 20))
        (folder / "more").write_bytes(bytes(1 << 20))
        with pytest.raises(NotNowError, match=r"keep 2 MiB .* PODJOBS_SCRATCH_MB allows 1\.") as refused:
            do_step(scratch)
    assert Problem.of(refused.value).type == UNAVAILABLE
    assert refused.value.retry_after_s
    do_step(scratch)
    assert folders_left(tmp_path) == []


def test_what_killed_steps_have_left_does_not_count(tmp_path):
    (leave_folder(tmp_path) / "files" / "chunk").write_bytes(bytes(3 << 20))
    do_step(Scratch(tmp_path, 1 << 20))


@pytest.fixture
def small_disk(tmp_path):
    """A disk with some 70 MiB, of which 64 count as none."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=70m,nr_inodes=200", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def write_with(scratch, script):
    with scratch.folder() as folder:
        TOOLS.run(["sh", "-c", script, "sh", str(folder)], timeout_s=30, access=Access(folder=folder))


FULL = "The disk of the scratch folder, .* is full"


def test_step_on_a_full_disk_is_not_begun(small_disk):
    (small_disk / "others").write_bytes(bytes(10 << 20))
    with pytest.raises(OperatorNeededError, match=FULL):
        do_step(Scratch(small_disk, 0))
    assert folders_left(small_disk) == []


def test_leftovers_on_a_full_disk_make_room(small_disk):
    do_step(Scratch(small_disk, 0))
    (leave_folder(small_disk) / "files" / "chunk").write_bytes(bytes(10 << 20))
    do_step(Scratch(small_disk, 0))
    assert folders_left(small_disk) == []


def test_command_fails_on_a_full_disk_waits_for_the_operator(small_disk):
    with pytest.raises(OperatorNeededError, match=FULL) as failed:
        write_with(Scratch(small_disk, 0), 'dd if=/dev/zero of="$1/big" bs=1M count=100')
    assert Problem.of(failed.value).type == UNAVAILABLE
    assert isinstance(failed.value.__cause__, CommandError)
    do_step(Scratch(small_disk, 0))  # what was written in vain is gone


def test_command_fails_without_inodes_waits_for_the_operator(small_disk):
    with pytest.raises(OperatorNeededError, match=FULL):
        write_with(Scratch(small_disk, 0), 'cd "$1"; for n in $(seq 300); do : > $n || exit 1; done')
    assert folders_left(small_disk) == []


def test_python_fails_on_a_full_disk_waits_for_the_operator(small_disk):
    with pytest.raises(OperatorNeededError, match=FULL), Scratch(small_disk, 0).folder() as folder:
        (folder / "big").write_bytes(bytes(80 << 20))


def test_command_that_claims_a_full_disk_is_tried_again_and_counted(scratch):
    with pytest.raises(RetryableError, match="The disk has room, however") as failed:
        write_with(scratch, "echo 'No space left on device' >&2; exit 1")
    assert not isinstance(failed.value, NotNowError)


def test_other_errors_of_a_step_are_its_own(scratch):
    for error in (PermanentError("It is damaged."), UnavailableError("Later."), OSError(errno.ECONNRESET, "Reset")):
        with pytest.raises(type(error)) as raised, scratch.folder():
            raise error
        assert raised.value is error
