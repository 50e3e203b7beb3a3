"""What a person is told, and what happens to the step, when an S3 server refuses or fails: by every kind of request."""

import re

import pytest

from podjobs.backends.storage import open_storage
from podjobs.contract.errors import FileChangedError, OperatorNeededError, UnavailableError
from podjobs.settings import MediaSettings
from support import s3_faults
from support.s3_faults import PlannedFaults
from support.s3_proxy import S3Proxy, serving_proxy
from support.s3_requests import Kind
from support.s3_server import SECRET_KEY, credentials, shared_server

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


@pytest.mark.parametrize("request_", REQUESTS)
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
