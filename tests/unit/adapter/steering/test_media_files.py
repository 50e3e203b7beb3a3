"""Files of the media root are found by each of their names, and nothing else is."""

import pytest

from adapter.steering.media_files import MediaFiles, UnknownFileError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "7.mp4").touch()
    return tmp_path


def test_media_root_is_where_media_url_says_or_else_where_pod_sees_it(folder, tmp_path):
    (tmp_path / "nothing mounted").mkdir()
    assert MediaFiles.at("/pod/media", folder.as_uri()).folder == folder
    assert MediaFiles.at(str(folder), "").folder == folder
    assert MediaFiles.at(str(folder), "/media/").folder == folder  # Pod's own MEDIA_URL
    assert MediaFiles.at(str(folder), "s3://bucket/media").folder is None
    assert MediaFiles.at(str(tmp_path / "nothing mounted"), "").folder is None
    assert MediaFiles.at(str(tmp_path / "gone"), "").folder is None


@pytest.mark.parametrize(
    "name", ["videos/7.mp4", "./videos//7.mp4", "/pod/media/videos/7.mp4", "{folder}/videos/7.mp4"]
)
def test_file_is_found_by_each_of_its_names(folder, name):
    files = MediaFiles.at("/pod/media", folder.as_uri())
    assert files.key_of(name.format(folder=folder)) == "videos/7.mp4"


@pytest.mark.parametrize("name", ["", ".", "..", "../7.mp4", "/pod/media", "/pod/media/../7.mp4", "/7.mp4", "a\0b"])
@pytest.mark.parametrize("unchecked", [True, False])
def test_name_outside_the_media_root_is_refused_with_what_to_name_instead(folder, name, unchecked):
    files = MediaFiles.at("/pod/media", folder.as_uri())
    with pytest.raises(UnknownFileError, match=r"MEDIA_ROOT=/pod/media\. Name one by its absolute path"):
        files.key_of(name, unchecked=unchecked)


def test_missing_file_is_refused_unless_nobody_can_look_or_wants_to(folder):
    files = MediaFiles.at("/pod/media", folder.as_uri())
    with pytest.raises(UnknownFileError, match=r"There is no file '.*/videos/8\.mp4'\. Correct the path"):
        files.key_of("videos/8.mp4")
    assert files.key_of("videos/8.mp4", unchecked=True) == "videos/8.mp4"
    assert MediaFiles.at("/pod/media", "s3://bucket").key_of("videos/8.mp4") == "videos/8.mp4"
