"""Links in the media root that lead out of it: an administrator's are followed if the setting names their targets."""

import os

import pytest

from podjobs.backends.files import FileStorage
from podjobs.contract.errors import InvalidRequestError, OperatorNeededError, RetryableError


@pytest.fixture
def root(tmp_path):
    """A media root, and beside it the folder /…/nfs with the videos of two people."""
    for owner in ("ada", "bob"):
        (tmp_path / "nfs/videos" / owner).mkdir(parents=True)
        (tmp_path / "nfs/videos" / owner / "talk.mp4").write_bytes(owner.encode())
    (tmp_path / "nfs/secret.mp4").write_bytes(b"secret")
    root = tmp_path / "media"
    root.mkdir()
    return root


def opened(root, *links):
    return FileStorage(root, "/media", tuple(map(str, links)))


def read(storage, key):
    with storage.open(key) as file:
        return file.read()


@pytest.mark.parametrize("allowed", ["nfs", "nfs/videos"])
def test_link_directly_in_the_media_root_is_followed_to_a_folder_that_the_setting_names(root, allowed):
    (root / "videos").symlink_to(root.parent / "nfs/videos")
    storage = opened(root, root.parent / allowed)
    assert read(storage, "videos/ada/talk.mp4") == b"ada"
    storage.write("videos/ada/0001/info_video.json", b"{}")
    assert (root.parent / "nfs/videos/ada/0001/info_video.json").read_bytes() == b"{}"
    assert storage.list_files("videos/ada/0001") == ("videos/ada/0001/info_video.json",)
    assert storage.find_obstacle() == ""


def test_link_in_a_folder_of_the_media_root_is_followed_to_a_folder_that_the_setting_names(root):
    """The folder of one person lies on another disk."""
    (root / "videos").mkdir()
    (root / "videos/ada").symlink_to(root.parent / "nfs/videos/ada")
    assert read(opened(root, root.parent / "nfs"), "videos/ada/talk.mp4") == b"ada"


def test_link_behind_a_link_is_followed_as_if_the_folder_were_real(root):
    (root / "videos").symlink_to(root.parent / "nfs/videos")
    (root.parent / "old/cyd").mkdir(parents=True)
    (root.parent / "old/cyd/talk.mp4").write_bytes(b"cyd")
    (root.parent / "nfs/videos/cyd").symlink_to(root.parent / "old/cyd")
    assert read(opened(root, root.parent / "nfs", root.parent / "old"), "videos/cyd/talk.mp4") == b"cyd"
    with pytest.raises(InvalidRequestError, match=r"'videos/cyd' leads out of the media root"):
        opened(root, root.parent / "nfs").open("videos/cyd/talk.mp4")


@pytest.mark.parametrize("target", ["nfs/secret.mp4", "nfs/videos/bob/talk.mp4", "nfs", "/etc/passwd"])
@pytest.mark.parametrize("place", ["videos/ada/link", "videos/ada/x/link"])
def test_link_in_an_upload_folder_is_refused_even_into_a_folder_that_the_setting_names(root, place, target):
    """What an uploader's archive contains must not reach what is not media, nor other places on that disk."""
    (root / place).parent.mkdir(parents=True)
    (root / place).symlink_to(root.parent / target)
    storage = opened(root, root.parent / "nfs")
    for act in (storage.input_of, storage.open, storage.exists, storage.size_bytes, storage.delete):
        with pytest.raises(InvalidRequestError, match="leads out of the media root through a link"):
            act(f"{place}/x" if target == "nfs" else place)


def test_link_in_an_upload_folder_behind_a_link_reaches_nothing_beside_that_links_target(root):
    (root / "videos").symlink_to(root.parent / "nfs/videos")
    (root.parent / "nfs/videos/ada/x.mp4").symlink_to(root.parent / "nfs/secret.mp4")
    (root.parent / "nfs/videos/ada/again.mp4").symlink_to("talk.mp4")
    storage = opened(root, root.parent / "nfs")
    with pytest.raises(InvalidRequestError, match="leads out of the media root through a link"):
        storage.open("videos/ada/x.mp4")
    assert read(storage, "videos/ada/again.mp4") == b"ada"


def test_link_within_the_media_root_makes_no_upload_folder_an_administrators_place(root):
    (root / "videos/ada").mkdir(parents=True)
    (root / "short").symlink_to(root / "videos/ada")
    (root / "videos/ada/x").symlink_to(root.parent / "nfs")
    with pytest.raises(InvalidRequestError, match="leads out of the media root through a link"):
        opened(root, root.parent / "nfs").open("short/x/secret.mp4")


def test_link_of_the_media_root_that_is_not_named_makes_jobs_wait_and_says_what_to_set(root):
    """All media of a kind are behind it: the jobs are not lost until an operator has acted."""
    (root / "videos").symlink_to(root.parent / "nfs/videos")
    with pytest.raises(OperatorNeededError) as refused:
        opened(root, root.parent / "other").open("videos/ada/talk.mp4")
    wanted = f"""PODJOBS_MEDIA_LINKS='["{root.parent}/other", "{root.parent}/nfs/videos"]'"""
    assert wanted in refused.value.detail


def test_links_in_a_circle_lead_nowhere(root):
    (root / "one").symlink_to(root / "two")
    (root / "two").symlink_to(root / "one")
    with pytest.raises((RetryableError, InvalidRequestError)):
        opened(root).open("one")
    assert opened(root).find_obstacle() == ""


def test_find_obstacle_names_the_links_that_lead_out_and_proposes_the_setting(root):
    (root / "videos").symlink_to(root.parent / "nfs/videos")
    (root / "inside").symlink_to(root / "files")
    (root / "files").mkdir()
    (root / "files/ada").symlink_to(root.parent / "nfs/videos/ada")
    nfs = root.parent / "nfs"
    assert opened(root).find_obstacle() == (
        f"Each of the 2 links 'videos' → '{nfs}/videos', 'files/ada' → '{nfs}/videos/ada' in the media root '{root}' "
        "leads out of it and is not followed. If an administrator made this, set "
        f"""PODJOBS_MEDIA_LINKS='["{nfs}/videos"]' for all functions."""
    )
    assert opened(root, nfs / "videos").find_obstacle() == ""


def test_find_obstacle_tells_of_an_allowed_link_that_leads_to_nothing(root):
    """The folder is not mounted here, in this container."""
    (root / "videos").symlink_to("/no/such/folder")
    advice = opened(root, "/no/such").find_obstacle()
    assert "'videos' → '/no/such/folder' leads to nothing. Mount the target here." in advice


def test_move_to_another_file_system_copies_and_appears_complete(root, elsewhere):
    """The work folder is on the media root's disk, the video behind a link on another."""
    (root / "videos").symlink_to(elsewhere)
    storage = opened(root, elsewhere)
    storage.start_work("job-1")
    content = os.urandom(20 << 20)
    with storage.writing("work/job-1/package") as folder:
        (folder / "360p.mp4").write_bytes(content)
    storage.write("videos/ada/0001/360p.mp4", b"the earlier encode")
    (elsewhere / "ada/0001" / f".360p.mp4.{'0' * 32}").write_bytes(b"what a killed writer left")

    storage.move("work/job-1/package/360p.mp4", "videos/ada/0001/360p.mp4")

    assert (elsewhere / "ada/0001/360p.mp4").read_bytes() == content
    assert (elsewhere / "ada/0001/360p.mp4").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in (elsewhere / "ada/0001").iterdir()] == ["360p.mp4"]
    assert not storage.exists("work/job-1/package/360p.mp4")
    with pytest.raises(RetryableError):
        storage.move("work/job-1/package/360p.mp4", "videos/ada/0001/360p.mp4")


def test_work_folder_behind_a_link_is_used_and_its_target_stays(root, elsewhere):
    (root / "work").symlink_to(elsewhere)
    storage = opened(root, elsewhere)
    storage.start_work("job-1")
    with storage.writing("work/job-1/chunk") as folder:
        (folder / "a").write_bytes(b"content")
    storage.move("work/job-1/chunk/a", "videos/a")
    assert (root / "videos/a").read_bytes() == b"content"
    storage.remove_work("job-1")
    assert list(elsewhere.iterdir()) == []
