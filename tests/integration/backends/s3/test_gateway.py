"""ffmpeg reads objects through the gateway: what it reads, and what it is told when that fails."""

import contextlib
import socket
import subprocess
import threading
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import structlog

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.backends.s3.gateway import MOST_CONNECTIONS, RangeGateway
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import (
    FileChangedError,
    NotNowError,
    OperatorNeededError,
    Problem,
    RetryableError,
    StepError,
    UnavailableError,
)
from support.gateway_storage import opened, request
from support.media import ffmpeg, make_video
from support.media_storages import POD_ROOT, STORAGES
from support.processes import wait_for

CONFINED = ProcessTools(8 << 30)
OPEN = ProcessTools(8 << 30, choose_sandbox("off"))
EVERYWHERE = pytest.mark.parametrize(
    "tools", [CONFINED, pytest.param(OPEN, marks=pytest.mark.slow)], ids=["confined", "sandbox off"]
)


@pytest.fixture
def media(tmp_path):
    with STORAGES["s3"](tmp_path) as media:
        yield media


def frames_argv(*inputs, seek_s=0.0, muxer="framemd5"):
    reading = [word for one in inputs for word in ("-ss", str(seek_s), "-i", str(one))]
    mapping = [word for number in range(len(inputs)) for word in ("-map", f"{number}:v")]
    return ["ffmpeg", "-v", "error", "-nostdin", *reading, *mapping, "-c:v", "copy", "-f", muxer, "-"]


def frames(tools, *inputs, seek_s=0.0):
    argv = frames_argv(*(one.url for one in inputs), seek_s=seek_s)
    return tools.run(argv, timeout_s=60, access=Access(inputs)).decode()


def frames_of(*files, seek_s=0.0):
    return subprocess.run(frames_argv(*files, seek_s=seek_s), check=True, capture_output=True, text=True).stdout


def local(file):
    return MediaInput(str(file), ("file",), file.name)


@EVERYWHERE
@pytest.mark.parametrize("name", ["talk.mp4", "talk.mkv", "talk.webm.", "talk", "talk.unknown"])
def test_ffmpeg_reads_an_object_as_it_reads_a_file(media, tools, tmp_path, name):
    made = make_video(tmp_path / "made.mkv", duration_s=20)
    file = tmp_path / name
    ffmpeg("-i", made, "-c", "copy", "-f", "matroska" if name == "talk.mkv" else "mp4", file)
    storage = media.open()
    storage.write(f"videos/{name}", file.read_bytes())
    source = storage.input_of(f"videos/{name}")
    assert frames(tools, source) == frames_of(file)
    assert frames(tools, source, seek_s=12) == frames_of(file, seek_s=12)


def test_one_command_reads_several_objects(gateway, tmp_path):
    files = [make_video(tmp_path / f"{number}.mp4", duration_s=2, size=f"{number}x64") for number in (64, 128)]
    assert frames(CONFINED, *(opened(gateway, file) for file in files)) == frames_of(*files)


def test_objects_of_two_storages_cannot_be_read_by_one_command(gateway, fetch, tmp_path):
    """A command knows one proxy; a process has one storage."""
    file = make_video(tmp_path / "a.mp4", duration_s=1)
    with closing(RangeGateway(fetch, 16 << 20)) as other, pytest.raises(ValueError, match="the same proxy"):
        frames(CONFINED, opened(gateway, file), opened(other, file))


@pytest.mark.parametrize(
    "name",
    [
        *("a%20b+c?d=e&f#g;h.mp4", "讲座 محاضرة 🎓.mp4", "a\nb\t.mp4"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                *('it\'s "the" `talk`.mp4', "cafe\u0301.mp4", "-i", "%03d%n.mp4", "a\\b\\.mp4"),
                *("http:pipe:0", "...", "x" * 250, "🎓" * 60, " .mp4 "),
            )
        ),
    ],
)
def test_any_name_is_read_and_told_as_it_is(gateway, tmp_path, name):
    made = make_video(tmp_path / "made.mp4", duration_s=1)
    file = made.rename(tmp_path / name)
    source = opened(gateway, file)
    assert frames(CONFINED, source) == frames_of(f"file:{file}")
    file.write_bytes(b"not a video" * 1000)
    with pytest.raises(CommandError) as failed:
        frames(CONFINED, opened(gateway, file, "2"))
    assert "media.invalid" not in Problem.of(failed.value).model_dump_json()
    assert source.name in failed.value.context["argv"]


# What goes wrong


@pytest.mark.parametrize(
    "name", ["talk.mkv", "talk.mp4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("talk.ts", "talk.avi"))]
)
def test_storage_that_fails_is_the_error_of_the_command(gateway, fetch, tmp_path, name):
    """ffmpeg itself says that all is well, and that the file ends there."""
    file = make_video(tmp_path / name, "-b:v", "8M", "-minrate", "8M", duration_s=10, video_filter="noise=alls=60")
    source = opened(gateway, file)
    whole = frames(CONFINED, source)
    fetch.error, fetch.requests = OperatorNeededError("The credentials are refused.", retry_after_s=7), 0
    fetch.fails_from = 20
    with pytest.raises(OperatorNeededError, match="credentials are refused") as failed:
        frames(CONFINED, opened(gateway, file, "2"))
    assert failed.value.retry_after_s == 7
    fetch.error = None
    assert frames(CONFINED, opened(gateway, file, "3")) == whole


def test_trouble_of_an_earlier_command_is_not_that_of_a_later_one(gateway, fetch, tmp_path):
    file = make_video(tmp_path / "a.mp4", duration_s=1)
    source = opened(gateway, file)
    fetch.error = UnavailableError("The storage is busy.")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            frames(CONFINED, source)
    fetch.error = None
    assert frames(CONFINED, source) == frames_of(file)


@pytest.mark.parametrize("fault", [KeyError("x"), ConnectionResetError(), BrokenPipeError()])
def test_fault_of_ours_is_not_taken_for_the_end_of_the_file(gateway, fetch, tmp_path, fault):
    """Nor for the command's own end."""
    file = make_video(tmp_path / "a.mkv", "-b:v", "8M", "-minrate", "8M", duration_s=5, video_filter="noise=alls=60")
    source = opened(gateway, file)
    fetch.error, fetch.fails_from = fault, 10
    with structlog.testing.capture_logs() as logs, pytest.raises(RetryableError, match=r"a\.mkv' could not be read"):
        frames(CONFINED, source)
    assert logs[0]["exc_info"]
    fetch.error = None
    assert frames(CONFINED, source) == frames_of(file)


def test_connections_of_another_program_do_not_make_a_source_bad(gateway, tmp_path):
    """Whoever is on this machine can open some; then the step waits."""
    source = opened(gateway, make_video(tmp_path / "a.mkv", duration_s=1))
    with contextlib.ExitStack() as connections:
        for _ in range(MOST_CONNECTIONS):
            address = "127.0.0.1", urlsplit(source.proxy).port
            connections.enter_context(socket.create_connection(address, 20))
        with pytest.raises(NotNowError, match="has more than 256 connections"):
            frames(CONFINED, source)
    wait_for(lambda: request(source)[0] == 200, 20)


def test_object_that_is_replaced_while_it_is_read_is_not_mixed_with_the_new_one(media, tmp_path):
    file = make_video(tmp_path / "a.mkv", duration_s=5)
    storage = media.open()
    storage.write("videos/a.mkv", file.read_bytes())
    source = storage.input_of("videos/a.mkv")
    storage.write("videos/a.mkv", make_video(tmp_path / "b.mkv", duration_s=6).read_bytes())
    with pytest.raises(FileChangedError, match=f"{POD_ROOT}/videos/a.mkv"):
        frames(CONFINED, source)
    assert frames(CONFINED, storage.input_of("videos/a.mkv")) == frames_of(tmp_path / "b.mkv")


def test_object_that_is_deleted_while_it_is_read_is_missing(media, tmp_path):
    storage = media.open()
    storage.write("videos/a.mkv", make_video(tmp_path / "a.mkv", duration_s=1).read_bytes())
    source = storage.input_of("videos/a.mkv")
    storage.delete("videos/a.mkv")
    with pytest.raises(StepError, match=r"videos/a\.mkv"):
        frames(CONFINED, source)


def test_credentials_that_are_refused_meanwhile_wait_for_an_operator(media, monkeypatch, tmp_path):
    first = media.open()
    first.write("videos/a.mkv", make_video(tmp_path / "a.mkv", duration_s=1).read_bytes())
    source = first.input_of("videos/a.mkv")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wr0ngSecretCanary")
    first._bucket.renew()
    with pytest.raises(OperatorNeededError, match="does not accept the credentials"):
        frames(CONFINED, source)


def test_readers_at_once_all_get_what_they_read(gateway, tmp_path):
    file = make_video(tmp_path / "a.mp4", duration_s=10)
    source, expected, wrong = opened(gateway, file), frames_of(file), []

    def read():
        if frames(CONFINED, source) != expected:
            wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
