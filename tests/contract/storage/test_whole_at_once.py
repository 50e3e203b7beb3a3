"""A file is whole or not there: for who reads while it is written, and after its writer was killed at any moment."""

import contextlib
import os
import subprocess
import sys
import threading

import pytest

from podjobs.contract.errors import RetryableError

LARGE = 1_000_000
CONTENTS = (b"a" * LARGE, b"b" * (LARGE + 1))
ROUNDS = 100


def write(storage):
    for number in range(ROUNDS):
        storage.write("videos/x", CONTENTS[number % 2])


def move(storage):
    for number in range(ROUNDS):
        storage.write("videos/new", CONTENTS[number % 2])
        storage.move("videos/new", "videos/x")


def write_work(storage):
    for number in range(ROUNDS):
        with storage.writing(storage.work_key("job", "chunk")) as folder:
            (folder / "x").write_bytes(CONTENTS[number % 2])


@pytest.mark.slow
@pytest.mark.parametrize(("writer", "key"), [(write, "videos/x"), (move, "videos/x"), (write_work, "work/job/chunk/x")])
def test_reader_never_sees_half_a_file(media, writer, key):
    storage = media.open()
    storage.start_work("job")
    seen, ended = [], threading.Event()

    def read():
        reader = media.open()
        while not ended.is_set():
            with contextlib.suppress(RetryableError), reader.open(key) as file:
                seen.append((file.read(1), 1 + len(file.read())))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        writer(storage)
    finally:
        ended.set()
        thread.join()
    assert set(seen) <= {(content[:1], len(content)) for content in CONTENTS}
    assert seen


KILLED = """
import os, signal, sys
from podjobs.backends.storage import open_storage
from podjobs.settings import MediaSettings, load_settings
from support.system_calls import ANY, at_each_system_call, at_system_call

moments = {"sendall"} if os.environ["MEDIA_URL"].startswith("s3:") else ANY
storage = open_storage(load_settings(MediaSettings))

def write_old():
    storage.write("videos/x", b"old")

def write_new():
    storage.write("videos/x", b"newer")

def check_write():
    assert storage.list_files("videos") == ("videos/x",), storage.list_files("videos")
    with storage.open("videos/x") as file:
        assert file.read() in (b"old", b"newer")

def start_work():
    storage.remove_work("job")
    storage.start_work("job")

def write_work():
    with storage.writing("work/job/chunk/1") as folder:
        for name in "abc":
            (folder / name).write_bytes(b"newer")

def check_work():
    keys = storage.list_files("work/job/chunk/1")
    assert set(keys) <= {f"work/job/chunk/1/{name}" for name in "abc"}, keys
    assert all(storage.size_bytes(key) == 5 for key in keys)
    assert storage.has_work("job")
    write_work()
    assert len(storage.list_files("work/job/chunk/1")) == 3

def finish_work():
    storage.start_work("job")
    write_work()

def end_work():
    storage.remove_work("job")

def check_end():
    storage.remove_work("job")
    assert not storage.has_work("job")
    assert storage.list_files("work/job/chunk/1") == ()

prepare, act, check = {
    "write": (write_old, write_new, check_write),
    "writing": (start_work, write_work, check_work),
    "remove_work": (finish_work, end_work, check_end),
    "start_work": (end_work, start_work, end_work),
}[sys.argv[1]]

def kill_at(number):
    prepare()
    reader, writer = os.pipe()
    if not (child := os.fork()):
        with at_system_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL), moments) as calls:
            act()
        os.write(writer, str(calls[0]).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as count:
        calls = count.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    check()
    return int(calls) if calls else number + 1

print(at_each_system_call(kill_at))
"""


@pytest.mark.parametrize("act", ["write", "writing", "remove_work", "start_work"])
def test_process_killed_at_any_system_call_leaves_nothing_that_is_half(media, act):
    """And what comes after it succeeds."""
    environment = os.environ | media.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, act], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # before it stands what was logged; there were moments to be killed at
    assert int(done.stdout.split()[-1]) >= 2
    if act == "write":
        media.open().write("videos/x", b"last")
        assert {key for key in media.list_everything() if key.startswith("videos/")} == {"videos/x"}
    else:
        media.open().remove_work("job")
        assert media.work_left() == set()
