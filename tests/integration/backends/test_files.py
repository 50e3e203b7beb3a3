"""Files on a shared folder, beyond what every storage does (tests/contract/storage): modes, owners, links, folders."""

import os
import stat
import subprocess
import sys
import time

import pytest

from podjobs.backends.files import FileStorage
from podjobs.contract.errors import InvalidRequestError, MissingFileError, NotNowError, RetryableError
from support.system_calls import at_each_system_call, at_system_call

KEY = "videos/abc/info[1].json"
WRITER = """
import os, sys, time
from pathlib import Path
from podjobs.backends.files import FileStorage
os.fsync = lambda _: time.sleep(60)
FileStorage(Path(sys.argv[1]), "/media").write(sys.argv[2], b"half of it")
"""


def test_write_removes_what_a_killed_writer_left(tmp_path):
    """And nothing else: not the file of another name that is being written, not what only looks alike."""
    folder = tmp_path / "videos" / "abc"
    folder.mkdir(parents=True)
    others = {f".other.json.{'0' * 32}", ".info[1].json.backup", f".info1.json.{'0' * 32}"}
    for name in others:
        (folder / name).touch()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path, KEY], env=os.environ | {"PYTHONPATH": ":".join(sys.path)}
    )
    while len(list(folder.iterdir())) == len(others):
        assert writer.poll() is None
        time.sleep(0.02)
    writer.kill()
    writer.wait()
    assert len(list(folder.iterdir())) == len(others) + 1

    FileStorage(tmp_path, "/media").write(KEY, b"{}")

    assert {path.name for path in folder.iterdir()} == others | {"info[1].json"}
    assert (folder / "info[1].json").read_bytes() == b"{}"


@pytest.fixture
def umask():
    """One that lets nobody else read."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_write_makes_files_that_all_may_read_and_folders_like_those_above(tmp_path):
    """Pod runs as another user, and deletes some files when it has read them."""
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp").chmod(0o2775)
    if not os.geteuid():
        os.chown(tmp_path / "temp", 1234, 4321)
    FileStorage(tmp_path, "/media").write("temp/a/b/captions.vtt", b"WEBVTT")
    assert stat.S_IMODE((tmp_path / "temp/a/b/captions.vtt").stat().st_mode) == 0o644
    above = (tmp_path / "temp").stat()
    for folder in ("temp/a", "temp/a/b"):
        made = (tmp_path / folder).stat()
        assert (stat.S_IMODE(made.st_mode), made.st_uid, made.st_gid) == (0o2775, above.st_uid, above.st_gid)


def test_link_within_the_media_root_is_followed_and_one_that_leads_out_is_refused(tmp_path):
    root = tmp_path / "media"
    (root / "videos/ada").mkdir(parents=True)
    (root / "talk.mp4").write_bytes(b"content")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (root / "videos" / "in.mp4").symlink_to(root / "talk.mp4")
    (root / "videos" / "out.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "videos" / "ada" / "all").symlink_to(tmp_path)
    storage = FileStorage(root, "/media")
    assert storage.input_of("videos/in.mp4").url == str(root / "talk.mp4")
    assert storage.size_bytes("videos/in.mp4") == 7
    for key in ("videos/out.mp4", "videos/ada/all/secret.mp4"):
        for act in (storage.input_of, storage.open, storage.exists, storage.size_bytes, storage.delete):
            with pytest.raises(InvalidRequestError, match="leads out of the media root through a link"):
                act(key)


def test_pipe_is_not_opened(tmp_path):
    """It would wait for ever."""
    os.mkfifo(tmp_path / "pipe.mp4")
    storage = FileStorage(tmp_path, "/media")
    for act in (storage.input_of, storage.open, storage.size_bytes):
        with pytest.raises(InvalidRequestError, match=r"'/media/pipe\.mp4' is not a regular file"):
            act("pipe.mp4")


def test_media_root_that_is_not_mounted_asks_to_wait(tmp_path):
    storage = FileStorage(tmp_path / "missing", "/media")
    with pytest.raises(NotNowError, match=r"is not there\. Mount it, or correct MEDIA_URL"):
        storage.exists("talk.mp4")
    with pytest.raises(NotNowError, match=r"is not there\. Mount it, or correct MEDIA_URL"):
        storage.start_work("job-1")
    assert not (tmp_path / "missing").exists()


KILLED_WRITER = """
import os, signal, sys, threading
from pathlib import Path
from podjobs.backends.work_folder import WorkFolder
from podjobs.contract.errors import RetryableError
from support.system_calls import at_each_system_call, at_system_call

root = Path(sys.argv[1])
work = WorkFolder(root / "work" / "job", "work/job")
kept = []  # or the writers that are left would end here, too, and clean up

def begin():
    work.start("")
    writer = work.writing(root / "work" / "job" / "chunk")
    (writer.__enter__() / "a").write_bytes(b"content")
    kept.append(writer)
    return writer

def finish_and_die_at(writer, number):
    try:
        with at_system_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            writer.__exit__(None, None, None)
    except RetryableError:
        pass
    os._exit(0)

def fork(writer, number):
    if not (child := os.fork()):
        # a thread of its own: this one is within at_system_call
        thread = threading.Thread(target=finish_and_die_at, args=(writer, number))
        thread.start()
        thread.join()
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def die_at(number_of_writer):
    def end(number_of_remover):
        writer = begin()
        with at_system_call(number_of_remover, lambda: statuses.append(fork(writer, number_of_writer))) as calls:
            work.remove()
        assert not (root / "work").exists(), (number_of_writer, number_of_remover, list(root.rglob("*")))
        return calls[0]
    statuses = []
    at_each_system_call(end)
    assert set(statuses) <= {0, -signal.SIGKILL}, statuses
    return number_of_writer + 1 if -signal.SIGKILL in statuses else 0

print(at_each_system_call(die_at))
"""


@pytest.mark.slow
def test_writer_killed_at_any_moment_of_a_job_s_end_leaves_nothing(tmp_path):
    """On a file system: the folder cannot go while there is anything in it, and is not made again."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, tmp_path], env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


def test_remove_work_what_cannot_be_removed_yet_goes_with_the_last_writer(tmp_path):
    """As over NFS, where a file that is open here keeps a name until it is closed; here a mount keeps the folder."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    storage = FileStorage(tmp_path, "/media")
    storage.start_work("job-1")
    writer = storage.writing("work/job-1/chunk")
    folder = writer.__enter__()
    (folder / "open").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder / "open")], check=True)
    try:
        storage.remove_work("job-1")
        assert folder.exists()
        assert not storage.has_work("job-1")
    finally:
        subprocess.run(["umount", str(folder / "open")], check=True)
    with pytest.raises(RetryableError, match="has ended or was superseded"):
        writer.__exit__(OSError, OSError("as the step meets it"), None)
    assert not (tmp_path / "work").exists()


def test_move_to_another_file_system_of_a_file_that_is_deleted_meanwhile_leaves_the_target(tmp_path, elsewhere):
    """It is copied there, which takes its time: the job may end before the copy has its name."""
    (tmp_path / "videos").symlink_to(elsewhere)
    storage = FileStorage(tmp_path, "/media", (str(elsewhere),))
    outcomes = []

    def delete_at(number):
        storage.write("work/job-1/x", b"new")
        storage.write("videos/x", b"old")
        with at_system_call(number, lambda: storage.delete("work/job-1/x")) as calls:
            try:
                storage.move("work/job-1/x", "videos/x")
                outcomes.append(b"new")
            except MissingFileError:
                outcomes.append(b"old")
        assert (elsewhere / "x").read_bytes() == outcomes[-1]
        assert [file.name for file in elsewhere.iterdir()] == ["x"]
        return calls[0]

    assert at_each_system_call(delete_at) > 5
    assert set(outcomes) == {b"old", b"new"}
