"""A file's version: what is written on the condition that nobody else has written is refused if somebody has."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from podjobs.contract.errors import FileChangedError
from support.system_calls import at_each_system_call, at_system_call

KEY = "videos/0001/info_video.json"


def read(storage):
    with storage.open(KEY) as file:
        return file.read()


def test_version_none_without_a_file(storage):
    assert storage.version(KEY) is None


def test_version_is_the_same_until_the_file_is_written_again(storage, media):
    storage.write(KEY, b"one")
    first = storage.version(KEY)
    assert first == storage.version(KEY) == media.open().version(KEY)
    storage.write(KEY, b"two")
    assert storage.version(KEY) not in {None, first}


def test_replace_what_is_still_there_writes(storage):
    storage.replace(KEY, b"one", None)
    assert read(storage) == b"one"
    storage.replace(KEY, b"two", storage.version(KEY))
    assert read(storage) == b"two"


@pytest.mark.parametrize("change", ["written", "removed"])
def test_replace_what_somebody_else_has_changed_is_refused(storage, media, change):
    storage.write(KEY, b"one")
    version = storage.version(KEY)
    other = media.open()
    if change == "written":
        other.write(KEY, b"another's")
    else:
        other.delete(KEY)
    with pytest.raises(FileChangedError, match=r"info_video\.json' was changed by somebody else"):
        storage.replace(KEY, b"two", version)
    assert storage.exists(KEY) == (change == "written")
    if storage.exists(KEY):
        assert read(storage) == b"another's"


def test_replace_where_somebody_else_has_written_first_is_refused(storage, media):
    media.open().write(KEY, b"another's")
    with pytest.raises(FileChangedError):
        storage.replace(KEY, b"mine", None)
    assert read(storage) == b"another's"


def test_replace_while_another_writes_at_any_system_call_is_done_or_refused(storage, media):
    other = media.open()
    refused = []

    def write_at(number):
        storage.write(KEY, b"old")
        version = storage.version(KEY)
        with at_system_call(number, lambda: other.write(KEY, b"another's"), media.moments) as calls:
            try:
                storage.replace(KEY, b"mine", version)
            except FileChangedError:
                refused.append(number)
        # what came after it may have replaced it
        assert read(storage) in ({b"another's"} if number in refused else {b"mine", b"another's"}), number
        return calls[0]

    at_each_system_call(write_at)
    assert refused


def test_replace_by_many_at_once_what_is_there_in_the_end_is_what_one_of_them_wrote(storage, media):
    """On a server that knows conditions exactly one succeeds; a file system leaves a moment between look and write."""
    storage.write(KEY, b"old")
    version = storage.version(KEY)
    writers, begin = [media.open() for _ in range(4)], threading.Barrier(4)

    def replace(number):
        writers[number].exists(KEY)  # connected
        begin.wait()
        try:
            writers[number].replace(KEY, b"%d" % number, version)
        except FileChangedError:
            return None
        return b"%d" % number

    with ThreadPoolExecutor(4) as pool:
        written = [one for one in pool.map(replace, range(4)) if one is not None]
    assert read(storage) in written
    assert len(written) == 1 or not media.has_conditions
