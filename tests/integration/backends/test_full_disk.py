"""«The disk is full» is believed when it is: what an upload contains may be printed by ffmpeg, too."""

import os
import subprocess

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.process import CommandError, ProcessTools
from podjobs.contract.commands import Access
from podjobs.contract.errors import UNAVAILABLE, NotNowError, OperatorNeededError, Problem, RetryableError

TOOLS = ProcessTools(memory_limit_bytes=4 << 30)
CLAIM = "echo 'The cover has the type: No space left on device.' >&2; exit 1"


@pytest.fixture
def mount(tmp_path):
    """Mount a small file system, and give a storage on it."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    mounted = []

    def mount_tmpfs(options):
        disk = tmp_path / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
        mounted.append(disk)
        storage = FileStorage(disk, "/media")
        storage.start_work("job-1")
        return storage

    yield mount_tmpfs
    for disk in mounted:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def write_with(storage, script):
    with storage.writing(storage.work_key("job-1", "chunk")) as folder:
        TOOLS.run(["sh", "-c", script, "sh", str(folder)], timeout_s=30, access=Access(folder=folder))


def test_writing_command_fails_on_a_full_disk_waits_for_the_operator(mount):
    storage = mount("size=2m")
    with pytest.raises(OperatorNeededError, match="disk that holds the media is full") as failed:
        write_with(storage, 'dd if=/dev/zero of="$1/big" bs=64k count=100')
    assert Problem.of(failed.value).type == UNAVAILABLE
    assert isinstance(failed.value.__cause__, CommandError)
    write_with(storage, 'echo small > "$1/small"')  # what was written in vain is gone


def test_writing_command_fails_without_inodes_waits_for_the_operator(mount):
    storage = mount("size=200m,nr_inodes=40")
    with pytest.raises(OperatorNeededError, match="disk that holds the media is full"):
        write_with(storage, 'cd "$1"; for n in $(seq 100); do : > $n || exit 1; done')


def test_writing_python_fails_on_a_full_disk_waits_for_the_operator(mount):
    storage = mount("size=2m")
    with (
        pytest.raises(OperatorNeededError, match="disk that holds the media is full"),
        storage.writing(storage.work_key("job-1", "chunk")) as folder,
    ):
        (folder / "big").write_bytes(bytes(3 << 20))


def test_writing_command_that_claims_a_full_disk_is_tried_again_and_counted(tmp_path):
    """Perhaps others have just freed space; if not, its attempts run out."""
    storage = FileStorage(tmp_path, "/media")
    storage.start_work("job-1")
    with pytest.raises(RetryableError, match="The disk has room, however") as failed:
        write_with(storage, CLAIM)
    assert not isinstance(failed.value, NotNowError)
    assert list(tmp_path.glob("work/job-1/**/*trial*")) == []


def test_writing_command_that_fails_for_another_reason_fails_for_good_even_on_a_full_disk(mount):
    storage = mount("size=2m")
    with pytest.raises(CommandError, match="exit status 1: damaged"):
        write_with(storage, "echo damaged >&2; exit 1")
