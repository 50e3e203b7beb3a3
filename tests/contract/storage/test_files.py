"""Media files by keys: what was written is read, under every name that people give their files."""

import os
import subprocess
import wave
from io import BytesIO

import pytest

from podjobs.contract.errors import InvalidRequestError, MissingFileError, RetryableError
from podjobs.contract.media_paths import MediaPaths
from support.media_storages import POD_ROOT

NAMES = {
    "plain": "talk.mp4",
    "spaces": "  my talk .mp4 ",
    "quotes": 'it\'s "the" `talk`.mp4',
    "composed": "caf\u00e9.mp4",
    "decomposed": "cafe\u0301.mp4",
    "other scripts": "讲座 محاضرة 🎓.mp4",
    "leading dot": ".hidden",
    "leading dots": "..hidden",
    "three dots": "...",
    "no ending": "talk",
    "url": "a%20b+c?d=e&f#g;h.mp4",
    "glob": "[a-z]*{1,2}?.mp4",
    "shell": "$HOME;rm -rf ~|&.mp4",
    "protocol": "http:pipe:0",
    "option": "-i",
    "format": "%03d%n.mp4",
    "backslash": "a\\b\\.mp4",
    "newline": "a\nb\t.mp4",
    "long": "x" * 200,
    "like an unfinished one": ".talk.mp4.tmp",
}
every_name = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())


@pytest.fixture(autouse=True)
def _skip_impossible_name(request, media):
    if request.node.callspec.params.get("name") in media.refused:
        pytest.skip("This server cannot give a file such a name.")


def sound():
    file = BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(8000)
        target.writeframes(bytes(16_000))
    return file.getvalue()


def read(storage, key):
    with storage.open(key) as file:
        return file.read()


@every_name
def test_write_is_read_under_its_name_and_no_other(storage, name):
    storage.write("videos/other", b"another file")
    storage.write(f"videos/{name}", b"content")
    assert storage.exists(f"videos/{name}")
    assert read(storage, f"videos/{name}") == b"content"
    assert storage.size_bytes(f"videos/{name}") == 7
    assert storage.list_files("videos") == tuple(sorted([f"videos/{name}", "videos/other"]))
    storage.delete(f"videos/{name}")
    assert not storage.exists(f"videos/{name}")
    assert storage.list_files("videos") == ("videos/other",)


@pytest.mark.parametrize("first", [0, 1, 699_999, 700_000])
def test_open_reads_from_a_position_to_the_end(storage, first):
    content = bytes(range(250)) * 2800
    storage.write("videos/file", content)
    with storage.open("videos/file", first) as file:
        assert file.read() == content[first:]


@every_name
def test_write_makes_folders_of_every_name(storage, name):
    storage.write(f"{name}/{name}/file", b"content")
    assert storage.list_files(f"{name}/{name}") == (f"{name}/{name}/file",)
    assert storage.list_files(name) == ()


@every_name
def test_input_of_is_what_ffmpeg_reads_with_these_protocols_alone(storage, name):
    storage.write(f"videos/{name}", sound())
    media_input = storage.input_of(f"videos/{name}")
    probe = ["ffprobe", "-v", "error", "-protocol_whitelist", ",".join(media_input.protocols), "-show_entries"]
    probe += ["format=duration", "-of", "csv=p=0", "-i", media_input.url]
    environment = os.environ | ({"http_proxy": media_input.proxy, "no_proxy": ""} if media_input.proxy else {})
    done = subprocess.run(probe, check=True, capture_output=True, text=True, env=environment)
    assert float(done.stdout) == 1.0


@every_name
def test_input_of_is_shown_by_pods_path_and_never_by_its_url(storage, name):
    storage.write(f"videos/{name}", b"content")
    media_input = storage.input_of(f"videos/{name}")
    assert media_input.name == storage.pod_path(f"videos/{name}") == f"{POD_ROOT}/videos/{name}"
    assert media_input.url not in repr(media_input)
    assert media_input.url not in str(media_input)


@every_name
def test_pod_path_and_key_are_each_others_inverse(storage, name):
    key = f"videos/{name}"
    assert MediaPaths(POD_ROOT).key_of(storage.pod_path(key)) == key


def test_names_that_only_look_alike_are_different_files(storage):
    keys = (*(f"videos/{NAMES[name]}" for name in ("composed", "decomposed")), "videos/CAFE.mp4", "videos/cafe.mp4")
    for key in keys:
        storage.write(key, key.encode())
    assert [read(storage, key) for key in keys] == [key.encode() for key in keys]
    assert storage.list_files("videos") == tuple(sorted(keys))


@pytest.mark.parametrize("key", ["..", "../x", "a/../../x", "/etc/passwd", "../the media of another/x"])
def test_key_that_leaves_the_media_root_is_refused(storage, key):
    for act in (
        lambda: storage.input_of(key),
        lambda: storage.open(key),
        lambda: storage.exists(key),
        lambda: storage.size_bytes(key),
        lambda: storage.list_files(key),
        lambda: storage.write(key, b""),
        lambda: storage.delete(key),
        lambda: storage.remove_folder(key),
        lambda: storage.move(key, "x"),
        lambda: storage.move("x", key),
        lambda: storage.writing(key).__enter__(),
    ):
        with pytest.raises(InvalidRequestError):
            act()


def test_missing_file_is_tried_again(storage):
    """A shared folder shows a new file late."""
    for act in (storage.input_of, storage.open, storage.size_bytes):
        with pytest.raises(MissingFileError, match=f"'{POD_ROOT}/videos/missing.mp4' is not there"):
            act("videos/missing.mp4")
    with pytest.raises(RetryableError):
        storage.move("videos/missing.mp4", "videos/x")
    assert not storage.exists("videos/missing.mp4")
    assert storage.list_files("videos") == ()


def test_folder_is_not_a_file(storage):
    storage.write("videos/a/b", b"content")
    assert not storage.exists("videos/a")
    assert storage.list_files("videos") == ()
    assert storage.list_files("videos/a/b") == ()
    for act in (storage.input_of, storage.open, storage.size_bytes):
        with pytest.raises((InvalidRequestError, RetryableError)):
            act("videos/a")


def test_open_reads_a_large_file_to_its_end_and_closes(storage):
    content = bytes(range(256)) * 50_000
    storage.write("videos/large", content)
    with storage.open("videos/large") as file:
        assert file.read(5) == content[:5]
        assert file.read(3_000_000) == content[5:3_000_005]
        assert file.read() == content[3_000_005:]
        assert file.read() == b""
    assert file.closed
    assert storage.size_bytes("videos/large") == len(content)


def test_write_empty_file_is_a_file(storage):
    storage.write("videos/empty", b"")
    assert storage.exists("videos/empty")
    assert storage.size_bytes("videos/empty") == 0
    assert read(storage, "videos/empty") == b""


def test_write_again_replaces_the_whole(storage):
    storage.write("videos/x", b"a longer content")
    storage.write("videos/x", b"short")
    assert read(storage, "videos/x") == b"short"


@every_name
def test_move_over_an_existing_file_replaces_it(storage, name):
    storage.write("work/x", b"new")
    storage.write(f"videos/{name}", b"what lay there before")
    storage.move("work/x", f"videos/{name}")
    assert read(storage, f"videos/{name}") == b"new"
    assert not storage.exists("work/x")


def test_move_makes_the_folder(storage):
    storage.write("x", b"content")
    storage.move("x", "videos/a/b/y")
    assert read(storage, "videos/a/b/y") == b"content"


def test_delete_twice_is_as_once(storage):
    storage.write("videos/x", b"content")
    storage.delete("videos/x")
    storage.delete("videos/x")
    storage.delete("never/there")
    assert not storage.exists("videos/x")


def test_list_files_names_those_directly_there_in_order(storage):
    for key in ("videos/b", "videos/a", "videos/c/d", "videos-2/e", "video", "videos/B", "videos/é"):
        storage.write(key, b"")
    assert storage.list_files("videos") == ("videos/B", "videos/a", "videos/b", "videos/é")
    assert storage.list_files("nothing/there") == ()


def test_another_process_sees_the_same_files(media):
    media.open().write("videos/x", b"content")
    assert read(media.open(), "videos/x") == b"content"


def test_remove_folder_removes_only_a_folder_without_files(storage):
    storage.write("videos/a/0007/x", b"content")
    storage.remove_folder("videos/a/0007")
    storage.remove_folder("videos/a")
    assert storage.exists("videos/a/0007/x")
    storage.delete("videos/a/0007/x")
    for _ in range(2):
        storage.remove_folder("videos/a/0007")
    storage.remove_folder("videos/missing/folder")


def test_remove_folder_leaves_nothing_of_it(storage, media):
    storage.write("videos/a/0007/x", b"content")
    storage.delete("videos/a/0007/x")
    for folder in ("videos/a/0007", "videos/a", "videos"):
        storage.remove_folder(folder)
    assert media.list_everything() == set()
