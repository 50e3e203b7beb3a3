"""What a person is told, and what happens to the step, when an S3 server refuses or fails: by every kind of request."""

import re
import subprocess
import sys
import threading

import pytest

from podjobs.backends.storage import open_storage
from podjobs.contract.errors import FileChangedError, OperatorNeededError, UnavailableError
from podjobs.settings import MediaSettings
from support import s3_faults
from support.processes import environment_with, wait_for
from support.s3_faults import PlannedFaults, stall
from support.s3_proxy import S3Proxy, serving_proxy
from support.s3_requests import Kind
from support.s3_server import SECRET_KEY, credentials, shared_server
from support.shifted_clock import OBSTACLE, ShiftedClock

POD_ROOT = "/usr/local/pod/media"
REQUESTS = {
    "look": lambda storage: storage.exists("videos/a"),
    "open": lambda storage: storage.open("videos/a"),
    "list": lambda storage: storage.list_files("videos"),
    "write": lambda storage: storage.write("videos/b", b"2"),
    "begin": lambda storage: storage.start_work("job"),
    "move": lambda storage: storage.move("videos/a", "videos/c"),
}


@pytest.fixture(scope="module")
def bucket():
    return shared_server().bucket


@pytest.fixture(scope="module")
def faults():
    return PlannedFaults()


@pytest.fixture(scope="module")
def proxy(faults):
    with serving_proxy(S3Proxy(shared_server().endpoint, faults=faults)) as running:
        yield running


@pytest.fixture
def storage(proxy, bucket, faults, monkeypatch):
    for name, value in credentials().items():
        monkeypatch.setenv(name, value)
    settings = MediaSettings(
        media_root=POD_ROOT,
        media_url=f"s3://{bucket}/refusals",
        podjobs_s3_endpoint=proxy.url,
        podjobs_s3_attempts=2,
        podjobs_s3_timeout_s=2,
    )
    opened = open_storage(settings)
    opened.write("videos/a", b"1")
    yield opened
    faults.heal()


@pytest.mark.parametrize(
    "request_",
    ["look", "write", *(pytest.param(one, marks=pytest.mark.slow) for one in ("open", "list", "begin", "move"))],
)
@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (s3_faults.INVALID_KEY, OperatorNeededError, "does not accept the credentials (InvalidAccessKeyId"),
        (s3_faults.WRONG_SIGNATURE, OperatorNeededError, "does not accept the credentials (SignatureDoesNotMatch"),
        (s3_faults.EXPIRED_TOKEN, OperatorNeededError, "does not accept the credentials (ExpiredToken"),
        (s3_faults.TIME_SKEWED, OperatorNeededError, "the clocks of this machine and of bucket"),
        (s3_faults.ACCESS_DENIED, OperatorNeededError, "does not permit it (AccessDenied"),
        (s3_faults.NO_BUCKET, OperatorNeededError, "here is no bucket"),
        (s3_faults.SLOW_DOWN, UnavailableError, "is busy or failed"),
        (s3_faults.INTERNAL, UnavailableError, "is busy or failed"),
        (s3_faults.BAD_GATEWAY, UnavailableError, "is busy or failed"),
        (s3_faults.CUT, UnavailableError, "does not answer, or broke the connection"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_refusal_is_told_in_words_whatever_was_asked(storage, faults, fault, kind, said, request_):
    faults.add(fault)
    with pytest.raises(kind, match=re.escape(said)) as caught:
        REQUESTS[request_](storage)
    assert type(caught.value) is kind
    assert caught.value.detail.endswith(".")
    assert SECRET_KEY not in f"{caught.value.detail} {caught.value.context}"


@pytest.mark.parametrize("request_", ["write", "begin"])
@pytest.mark.parametrize(
    "fault",
    [s3_faults.QUOTA, s3_faults.MINIO_QUOTA, s3_faults.MINIO_FULL, s3_faults.NO_SPACE],
    ids=lambda fault: fault.name,
)
def test_full_storage_waits_for_an_operator(storage, faults, fault, request_):
    faults.refuse_writes(fault)
    with pytest.raises(OperatorNeededError, match="is full, or its quota is used up"):
        REQUESTS[request_](storage)
    assert storage.exists("videos/a")


@pytest.mark.parametrize(
    "fault",
    [s3_faults.SLOW_DOWN, s3_faults.INTERNAL_IN_UPLOAD, s3_faults.CUT_IN_UPLOAD, s3_faults.CUT, s3_faults.LOST],
    ids=lambda fault: fault.name,
)
def test_fault_that_happens_once_is_not_noticed(storage, faults, fault):
    faults.add(fault, times=1, kinds={Kind.PUT})
    storage.write("videos/d", b"x" * (1 << 20))
    assert storage.size_bytes("videos/d") == 1 << 20


def test_download_that_is_cut_goes_on_where_it_was(storage, faults):
    content = bytes(range(256)) * 8192
    storage.write("videos/d", content)
    faults.add(s3_faults.CUT_IN_DOWNLOAD, times=1)
    with storage.open("videos/d") as file:
        assert file.read() == content


@pytest.mark.parametrize("exists_before", [False, True])
def test_conditional_write_whose_answer_is_lost_has_succeeded(storage, faults, exists_before):
    """The second attempt meets what the first has written: its condition fails."""
    storage.delete("videos/info")
    if exists_before:
        storage.write("videos/info", b"old")
    version = storage.version("videos/info")
    faults.add(s3_faults.LOST, times=1, kinds={Kind.PUT})
    storage.replace("videos/info", b"new", version)
    with storage.open("videos/info") as file:
        assert file.read() == b"new"


@pytest.mark.parametrize("fault", [s3_faults.PRECONDITION, s3_faults.CONFLICT], ids=lambda fault: fault.name)
def test_conditional_write_that_is_refused_says_that_somebody_else_was_faster(storage, faults, fault):
    storage.delete("videos/info")
    faults.add(fault)
    with pytest.raises(FileChangedError, match="changed by somebody else"):
        storage.replace("videos/info", b"new", None)
    faults.heal()
    assert not storage.exists("videos/info")


def test_move_whose_copy_fails_leaves_the_source(storage, faults):
    faults.add(s3_faults.ERROR_IN_200)
    with pytest.raises(UnavailableError):
        storage.move("videos/a", "videos/c")
    assert storage.exists("videos/a")


def test_credentials_that_are_replaced_in_the_file_are_used_from_the_next_request_on(
    proxy, bucket, tmp_path, monkeypatch
):
    """A client keeps what it has read until the server refuses it; also if it is only asked whether a file exists."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = former\naws_secret_access_key = gone\n")
    for name in credentials():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    url = {"media_url": f"s3://{bucket}/refusals", "podjobs_s3_endpoint": proxy.url}
    storage = open_storage(MediaSettings(media_root=POD_ROOT, **url))
    with pytest.raises(OperatorNeededError, match="does not accept the credentials"):
        storage.exists("videos/a")
    valid = "\n".join(f"{name.lower()} = {value}" for name, value in credentials().items())
    file.write_text(f"[default]\n{valid}\n")
    storage.write("videos/a", b"1")
    assert storage.exists("videos/a")


PROGRAM = """
import sys
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import StepError
from podjobs.settings import MediaSettings, load_settings

storage = open_storage(load_settings(MediaSettings))
try:
    {}
except StepError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def environment(proxy, bucket, **settings):
    url = {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": f"s3://{bucket}/refusals", "PODJOBS_S3_ENDPOINT": proxy.url}
    return environment_with(url | credentials() | settings)


@pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE)
@pytest.mark.parametrize("what", ['storage.exists("videos/a")', 'storage.write("videos/a", b"1")'])
def test_clock_that_is_off_is_told_as_such(proxy, bucket, tmp_path, what):
    """Really: the program's clock is set, and the server refuses what it has signed."""
    clock = ShiftedClock.made_in(tmp_path)
    argv = [sys.executable, "-c", PROGRAM.replace("{}", what, 1)]
    ended = []
    for shift_s in (0, 3600):
        clock.set_by(shift_s)
        ended.append(
            subprocess.run(
                argv, env=environment(proxy, bucket, **clock.settings), capture_output=True, text=True, check=False
            )
        )
    assert [one.returncode for one in ended] == [0, 1], ended
    assert "OperatorNeededError" in ended[1].stderr
    assert "the clocks of this machine and of bucket" in ended[1].stderr


def test_writer_that_is_killed_while_it_uploads_leaves_nothing_once_the_job_ends(
    storage, proxy, bucket, faults, tmp_path
):
    server = shared_server()
    storage.start_work("killed")
    faults.add(stall(60), kinds={Kind.PART}, skip=2)
    write = """with storage.writing("work/killed/chunk") as folder:
        (folder / "360.nut").write_bytes(bytes(24 << 20))"""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("{}", write, 1)],
        env=environment(proxy, bucket, PODJOBS_S3_PART_MB="5", PODJOBS_SCRATCH=str(tmp_path)),
    )
    try:
        begun = len(proxy.keys_asked)
        parts = lambda: [one for one in proxy.keys_asked[begun:] if one.kind is Kind.PART]  # noqa: E731
        wait_for(lambda: len(parts()) >= 3, 30)
    finally:
        process.kill()
        process.wait()
    place = {"Bucket": server.bucket, "Prefix": "refusals/work/killed/"}
    unfinished = server.client().list_multipart_uploads(**place)["Uploads"]
    assert [one["Key"] for one in unfinished] == ["refusals/work/killed/chunk/360.nut"]
    faults.heal()
    assert not storage.exists("work/killed/chunk/360.nut")
    storage.remove_work("killed")
    assert not server.client().list_multipart_uploads(**place).get("Uploads")


def test_unfinished_uploads_of_jobs_that_nobody_knows_are_found_by_their_age(storage, bucket):
    client = shared_server().client()
    client.create_multipart_upload(Bucket=bucket, Key="refusals/work/unknown/a")
    client.create_multipart_upload(Bucket=bucket, Key="elsewhere/a")
    assert storage.remove_unfinished(3600) == 0
    assert storage.remove_unfinished(0) == 1
    left = client.list_multipart_uploads(Bucket=bucket, Prefix="elsewhere/")["Uploads"]
    assert [one["Key"] for one in left] == ["elsewhere/a"]
    client.abort_multipart_upload(Bucket=bucket, Key="elsewhere/a", UploadId=left[0]["UploadId"])


def test_step_whose_job_ends_while_its_upload_fails_leaves_nothing(storage, faults):
    """The server is slow for one, not for the other."""
    storage.start_work("ended")
    failed = []

    def write():
        try:
            with storage.writing("work/ended/chunk") as folder:
                (folder / "360.nut").write_bytes(b"1" * (1 << 20))
        except Exception as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    rule = faults.add(stall(1), times=1, kinds={Kind.PUT})
    writer = threading.Thread(target=write)
    writer.start()
    wait_for(lambda: rule.happened, 10)
    storage.remove_work("ended")
    writer.join()
    assert ["is gone: the job has ended" in str(error) for error in failed] == [True]
    assert not storage.exists("work/ended/chunk/360.nut")


@pytest.mark.parametrize("look", [lambda storage: storage.exists("videos/no"), lambda storage: storage.has_work("no")])
def test_bucket_that_is_gone_is_never_taken_for_a_missing_file(storage, faults, look):
    """However lately it was there: a missing marker would mean that the job has ended."""
    assert not look(storage)
    faults.add(s3_faults.NO_BUCKET)
    with pytest.raises(OperatorNeededError, match="here is no bucket"):
        look(storage)
