"""Media in a bucket of a real server: large files, settings, refusals; the rest is in the contract suite."""

import os
import subprocess
import sys
import time

import pytest

from podjobs.backends.s3 import copies
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import FileChangedError, OperatorNeededError, RetryableError, UnavailableError
from podjobs.settings import MediaSettings
from support.media_storages import POD_ROOT, STORAGES
from support.s3_server import ACCESS_KEY, SECRET_KEY, shared_server
from support.system_calls import at_system_call

PART = 5 << 20


@pytest.fixture
def media(tmp_path):
    with STORAGES["s3"](tmp_path) as media:
        yield media


def open_with(media, **settings):
    values = {name.lower(): value for name, value in media.environment.items()}
    known = {name: value for name, value in (values | settings).items() if name in MediaSettings.model_fields}
    return open_storage(MediaSettings.model_validate(known))


def properties(media, key):
    prefix = media.environment["MEDIA_URL"].removeprefix("s3://media/").replace("%20", " ")
    return shared_server().client().head_object(Bucket="media", Key=f"{prefix}/{key}")


def write_work(storage, name, content):
    storage.start_work("job")
    with storage.writing("work/job/chunk") as folder:
        (folder / name).write_bytes(content)
    return f"work/job/chunk/{name}"


@pytest.mark.parametrize("checksum", ["sha256", "crc32", "none"])
def test_large_file_travels_in_parts_and_arrives_whole(media, checksum):
    storage = open_with(media, podjobs_s3_part_mb=5, podjobs_s3_checksum=checksum)
    content = os.urandom(2 * PART + 12345)
    key = write_work(storage, "large.ts", content)
    storage.move(key, "videos/large.ts")
    with storage.open("videos/large.ts") as file:
        assert file.read() == content
    assert properties(media, "videos/large.ts")["ContentType"] == "video/mp2t"


def test_very_large_file_is_moved_in_parts_and_arrives_whole(media, monkeypatch):
    monkeypatch.setattr(copies, "AT_ONCE_BYTES", PART)
    monkeypatch.setattr(copies, "PART_BYTES", PART)
    storage, content = media.open(), os.urandom(3 * PART + 12345)
    key = write_work(storage, "large.ts", content)
    storage.move(key, "videos/large.ts")
    with storage.open("videos/large.ts") as file:
        assert file.read() == content
    assert not storage.exists(key)
    assert properties(media, "videos/large.ts")["ContentType"] == "video/mp2t"


@pytest.mark.parametrize(("change", "request_number"), [("deleted", 1), ("deleted", 2), ("replaced", 1)])
def test_very_large_file_that_does_not_stay_until_its_parts_are_copied_does_not_appear(
    media, monkeypatch, change, request_number
):
    monkeypatch.setattr(copies, "AT_ONCE_BYTES", PART)
    monkeypatch.setattr(copies, "PART_BYTES", PART)
    storage = media.open()
    key = write_work(storage, "large.ts", os.urandom(3 * PART))
    alter = (lambda: storage.delete(key)) if change == "deleted" else (lambda: storage.write(key, b"another"))
    with pytest.raises(RetryableError), at_system_call(request_number, alter, {"sendall"}):
        storage.move(key, "videos/large.ts")
    assert not storage.exists("videos/large.ts")
    assert storage.remove_unfinished(0) == 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("360p.m3u8", "application/vnd.apple.mpegurl"),
        ("360p.mp4", "video/mp4"),
        ("overview.png", "image/png"),
        ("overview.vtt", "text/vtt; charset=utf-8"),
        ("info_video.json", "application/json"),
        ("audio_192k.mp3", "audio/mpeg"),
        ("unknown", "application/octet-stream"),
    ],
)
def test_published_file_has_the_type_that_browsers_expect(media, name, kind):
    storage = media.open()
    storage.write(f"videos/{name}", b"content")
    assert properties(media, f"videos/{name}")["ContentType"] == kind
    storage.move(write_work(storage, name, b"content"), f"videos/moved-{name}")
    assert properties(media, f"videos/moved-{name}")["ContentType"] == kind


KILLED = """
import os, signal, threading
from podjobs.backends.s3 import copies
from podjobs.backends.storage import open_storage
from podjobs.settings import MediaSettings, load_settings
storage = open_storage(load_settings(MediaSettings))
threading.Timer(float(os.environ["AFTER_S"]), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
with storage.writing("work/job/chunk") as folder:
    (folder / "large").write_bytes(os.urandom(200 << 20))
"""


@pytest.mark.slow
def test_upload_of_a_killed_process_is_seen_by_nobody_and_removed_with_the_job(media):
    storage, unfinished = media.open(), media.list_unfinished
    storage.start_work("job")
    environment = os.environ | media.environment | {"PODJOBS_S3_PART_MB": "5"}
    for tenths in range(4, 60):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED], env=environment | {"AFTER_S": str(tenths / 10)}, check=False
        )
        assert killed.returncode in {0, -9}
        if unfinished():
            break
    assert unfinished(), "it was never killed in the middle of an upload"
    assert storage.list_files("work/job/chunk") == ()
    assert storage.remove_unfinished(3600) == 0
    storage.remove_work("job")
    assert not unfinished()
    assert media.work_left() == set()


def test_remove_unfinished_aborts_old_uploads_below_the_prefix_alone(media):
    storage, client = media.open(), shared_server().client()
    prefix = media.environment["MEDIA_URL"].removeprefix("s3://media/").replace("%20", " ")
    client.create_multipart_upload(Bucket="media", Key=f"{prefix}/videos/x.mp4")
    other = client.create_multipart_upload(Bucket="media", Key="another/x.mp4")
    assert storage.remove_unfinished(60) == 0
    time.sleep(1.1)
    assert storage.remove_unfinished(1) == 1
    assert storage.remove_unfinished(0) == 0
    client.abort_multipart_upload(Bucket="media", Key="another/x.mp4", UploadId=other["UploadId"])


def test_missing_bucket_is_said_wherever_it_is_noticed(media):
    storage = open_with(media, media_url="s3://no-such-bucket/media")
    for act in (
        lambda: storage.exists("x"),
        lambda: storage.open("x"),
        lambda: storage.list_files("x"),
        lambda: storage.has_work("job"),
        lambda: storage.start_work("job"),
        lambda: storage.write("x", b""),
        lambda: storage.move("x", "y"),
        lambda: storage.writing("work/job/x").__enter__(),
    ):
        with pytest.raises(OperatorNeededError, match=r"(There|there) is no bucket 'no-such-bucket'"):
            act()
    assert "no bucket 'no-such-bucket' at http://127.0.0.1" in storage.find_obstacle()


def test_refused_credentials_wait_for_an_operator_and_are_not_told(media, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wr0ngSecretCanary")
    storage = media.open()
    sentence = storage.find_obstacle()
    for act in (lambda: storage.start_work("job"), lambda: storage.exists("x"), lambda: storage.list_files("x")):
        with pytest.raises(OperatorNeededError, match="does not accept the credentials") as refused:
            act()
        sentence += refused.value.detail
    assert "does not accept the credentials" in storage.find_obstacle()
    assert not any(secret in sentence for secret in (ACCESS_KEY, SECRET_KEY, "wr0ngSecretCanary"))


def test_credentials_that_were_replaced_in_their_file_are_used_by_a_running_function(media, monkeypatch, tmp_path):
    file = tmp_path / "credentials"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    file.write_text("[default]\naws_access_key_id = gone\naws_secret_access_key = gone\n")
    storage = media.open()
    with pytest.raises(OperatorNeededError):
        storage.has_work("job")
    file.write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    storage.start_work("job")
    assert storage.has_work("job")


def test_missing_credentials_are_said(media, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(OperatorNeededError, match="no usable credentials"):
        media.open().start_work("job")


def test_server_that_does_not_answer_is_waited_for(media):
    storage = open_with(media, podjobs_s3_endpoint="http://127.0.0.1:9", podjobs_s3_attempts=1)
    with pytest.raises(UnavailableError, match=r"bucket 'media' at http://127\.0\.0\.1:9 does not answer"):
        storage.exists("x")


def test_find_obstacle_nothing_is_wrong_and_nothing_stays(media):
    assert media.open().find_obstacle() == ""
    assert media.list_everything() == set()


def test_object_that_is_replaced_while_it_is_read_is_noticed(media):
    storage = media.open()
    storage.write("x", b"a" * 3_000_000)
    with storage.open("x") as file:
        storage.write("x", b"b" * 3_000_000)
        with pytest.raises(FileChangedError, match=f"'{POD_ROOT}/x'"):
            file.read()


def test_process_that_was_forked_uses_connections_of_its_own(media):
    storage = media.open()
    storage.write("x", b"content")
    children = []
    for number in range(4):
        if not (child := os.fork()):
            for _ in range(20):
                with storage.open("x") as file:
                    if file.read() != b"content":
                        os._exit(1)
            storage.write(f"y{number}", b"")
            os._exit(0)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert media.list_everything() == {"x", "y0", "y1", "y2", "y3"}
