"""What other users leave in the media root, and whether Pod's user can read and delete it."""

import multiprocessing
import os
import shutil
import stat
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from podjobs.backends.files import FileStorage
from podjobs.backends.media_condition import find_closed_recordings, find_unreadable
from podjobs.backends.permissions import find_obstacle

POD, MEDIA, FUNCTIONS = 1233, 4321, 1234
"""Pod's user, the media root's group, and the user that the functions run as."""
needs_root = pytest.mark.skipif(bool(os.geteuid()), reason="only root may become another user")


def encode(root):
    """What an encoding job does to files, up to its last but one act."""
    storage = FileStorage(root, "/media")
    storage.start_work("job-1")
    for number in (1, 2):
        with storage.writing(f"work/job-1/chunk-{number}") as folder:
            (folder / "720p.mp4").write_bytes(b"content")
    storage.move("work/job-1/chunk-1/720p.mp4", "videos/abc/0007/720p.mp4")
    storage.write("videos/abc/0007/info_video.json", b"{}")


def delete(root):
    """What Pod does when the video is deleted; and what became of the work files."""
    for file in (root / "videos/abc/0007").iterdir():
        file.read_bytes()
        file.unlink()
    (root / "videos/abc/0007").rmdir()
    FileStorage(root, "/media").remove_work("job-1")


def read(root):
    return [file.read_bytes() for file in (root / "videos/abc/0007").iterdir()]


def run_as(root, user, act, *, groups=(), umask=0o077):
    """Perform an act as another user. Returns what it returns, raises what it raises."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as child:
        return child.submit(_become, root, user, act, groups, umask).result()


def _become(root, user, act, groups, umask):
    os.setgroups(groups)
    os.setgid(user)
    os.setuid(user)
    os.umask(umask)
    return act(root)


@pytest.fixture
def make_root():
    """Makes media roots that other users reach: pytest's own folders are closed to them."""
    made = []

    def make(owner, group, mode):
        outer = Path(tempfile.mkdtemp(prefix="podjobs-test-"))
        made.append(outer)
        outer.chmod(0o755)
        root = outer / "media"
        root.mkdir()
        os.chown(root, owner, group)
        root.chmod(mode)
        return root

    yield make
    for outer in made:
        shutil.rmtree(outer)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@needs_root
@pytest.mark.parametrize("umask", [0o077, 0o022, 0o000])
@pytest.mark.parametrize("root_mode", [0o2775, 0o775, 0o2770])
def test_member_of_the_media_roots_group_leaves_what_pod_reads_and_deletes(make_root, umask, root_mode):
    """The group is set although the owner cannot be."""
    root = make_root(POD, MEDIA, root_mode)
    assert run_as(root, FUNCTIONS, find_obstacle, groups=[MEDIA], umask=umask) == ""
    run_as(root, FUNCTIONS, encode, groups=[MEDIA], umask=umask)
    for folder in ("videos", "videos/abc", "videos/abc/0007", "work", "work/job-1", "work/job-1/chunk-2"):
        made = (root / folder).stat()
        assert (mode(root / folder), made.st_uid, made.st_gid) == (root_mode, FUNCTIONS, MEDIA), folder
    for file in (*(root / "videos/abc/0007").iterdir(), root / "work/job-1/chunk-2/720p.mp4"):
        assert mode(file) == 0o644, file
    run_as(root, POD, delete, groups=[MEDIA])
    assert not (root / "videos/abc/0007").exists()
    assert not (root / "work").exists()


@needs_root
def test_root_gives_folders_to_pod(make_root):
    root = make_root(POD, MEDIA, 0o750)
    assert find_obstacle(root) == ""
    run_as(root, 0, encode)
    made = (root / "videos/abc").stat()
    assert (mode(root / "videos/abc"), made.st_uid, made.st_gid) == (0o750, POD, MEDIA)
    run_as(root, POD, delete)


@needs_root
def test_user_of_another_group_leaves_folders_that_all_may_enter(make_root):
    root = make_root(POD, MEDIA, 0o703)
    run_as(root, FUNCTIONS, encode)
    assert mode(root / "videos") == 0o757
    assert len(run_as(root, POD, read)) == 2


@needs_root
def test_obstacle_of_a_user_whom_pod_cannot_clean_up_after_names_the_remedy(make_root):
    root = make_root(POD, MEDIA, 0o1777)
    assert run_as(root, FUNCTIONS, find_obstacle) == (
        f"Pod cannot delete what is written here: folders in the media root '{root}' belong to user 1234 and group "
        "1234, the media root to user 1233 and group 4321. Run this as user 1233; or make the user a member of group "
        "4321 and let the group write: chgrp -R 4321, chmod -R g+w, and chmod g+s for all folders of the media root."
    )
    run_as(root, FUNCTIONS, encode)
    with pytest.raises(PermissionError):
        run_as(root, POD, delete, groups=[MEDIA])
    assert run_as(root, POD, find_obstacle) == ""


@needs_root
def test_obstacle_of_a_user_who_cannot_write_is_told(make_root):
    root = make_root(POD, MEDIA, 0o755)
    assert run_as(root, FUNCTIONS, find_obstacle) == (
        f"The user 1234 cannot write into the media root '{root}': Permission denied. "
        "Give the user access to it, or run this as a user who has access."
    )


def test_obstacle_of_ones_own_folder_is_none_and_nothing_stays(tmp_path):
    assert find_obstacle(tmp_path) == ""
    assert not list(tmp_path.iterdir())


def test_obstacle_of_a_missing_media_root_is_told(tmp_path):
    assert "is not there. Mount it" in find_obstacle(tmp_path / "missing")


def record(root, folder_mode, file_mode):
    """What Pod's studio leaves."""
    folder = root / "opencast-files/5f0c"
    folder.mkdir(parents=True)
    (folder / "presenter.webm").write_bytes(b"content")
    for path, mode_ in ((folder / "presenter.webm", file_mode), (folder, folder_mode)):
        os.chown(path, POD, MEDIA)
        path.chmod(mode_)


@needs_root
def test_recordings_that_cannot_be_read_or_composed_beside_are_told(make_root):
    root = make_root(POD, MEDIA, 0o2775)
    record(root, 0o755, 0o600)
    unread = run_as(root, FUNCTIONS, find_unreadable, groups=[MEDIA])
    assert f"cannot read uploads such as '{root}/opencast-files/5f0c/presenter.webm'" in unread
    closed = run_as(root, FUNCTIONS, find_closed_recordings, groups=[MEDIA])
    assert closed.startswith(f"The user {FUNCTIONS} cannot write into folders of studio recordings such as")
    assert closed.endswith(
        f"Run this as a member of the group {MEDIA}, and set FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o775 in Pod."
    )


@needs_root
def test_recordings_that_can_be_composed_are_not_blamed(make_root):
    root = make_root(POD, MEDIA, 0o2775)
    assert run_as(root, FUNCTIONS, find_closed_recordings, groups=[MEDIA]) == ""
    record(root, 0o775, 0o640)
    assert run_as(root, FUNCTIONS, find_closed_recordings, groups=[MEDIA]) == ""
    assert run_as(root, FUNCTIONS, find_unreadable, groups=[MEDIA]) == ""
