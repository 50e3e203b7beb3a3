"""The proxy of the tests: what passes it is as it was, what it counts is right, and its faults are those of servers."""

import uuid

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from support import s3_faults
from support.s3_faults import Moment, PlannedFaults, SeededFaults, stall
from support.s3_proxy import ProxyProcess, S3Proxy, serving_proxy
from support.s3_requests import Asked, Kind
from support.s3_server import ACCESS_KEY, SECRET_KEY, shared_server

CONTENT = bytes(range(256)) * 4096
PART = 5 << 20


@pytest.fixture(scope="module")
def server():
    return shared_server()


@pytest.fixture
def faults():
    return PlannedFaults()


@pytest.fixture
def proxy(server, faults):
    with serving_proxy(S3Proxy(server.endpoint, faults=faults)) as running:
        yield running


@pytest.fixture(scope="module")
def bucket(server):
    return server.bucket


@pytest.fixture
def key():
    return uuid.uuid4().hex


def client_of(url, **config):
    options = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}, "read_timeout": 5} | config
    return boto3.session.Session().client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(**options),
    )


def code_of(caught):
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("key", ["plain", "été/a b+c%2F&=?#'(1).mp4", "~x"])
def test_objects_pass_unchanged_under_any_name(proxy, bucket, key):
    client = client_of(proxy.url)
    client.put_object(Bucket=bucket, Key=key, Body=CONTENT, ChecksumAlgorithm="SHA256")
    assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == CONTENT
    part = client.get_object(Bucket=bucket, Key=key, Range="bytes=100-299")
    assert (part["ResponseMetadata"]["HTTPStatusCode"], part["Body"].read()) == (206, CONTENT[100:300])
    assert client.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(CONTENT)


def test_each_operation_is_counted_as_what_it_is(proxy, bucket):
    client = client_of(proxy.url)
    proxy.label = "all"
    client.put_object(Bucket=bucket, Key="a", Body=CONTENT)
    client.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    client.head_object(Bucket=bucket, Key="b")
    client.get_object(Bucket=bucket, Key="b")["Body"].read()
    client.list_objects_v2(Bucket=bucket, Prefix="a")
    begun = client.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    where = {"Bucket": bucket, "Key": "c", "UploadId": begun}
    tag = client.upload_part(**where, PartNumber=1, Body=CONTENT)["ETag"]
    client.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    begun = client.create_multipart_upload(Bucket=bucket, Key="d")["UploadId"]
    client.upload_part_copy(
        Bucket=bucket, Key="d", UploadId=begun, PartNumber=1, CopySource={"Bucket": bucket, "Key": "a"}
    )
    client.abort_multipart_upload(Bucket=bucket, Key="d", UploadId=begun)
    client.list_multipart_uploads(Bucket=bucket)
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}]})
    client.delete_object(Bucket=bucket, Key="b")
    tally = proxy.tallies["all"]
    expected = {kind: 1 for kind in Kind if kind is not Kind.OTHER} | {Kind.LIST: 2, Kind.CREATE: 2, Kind.DELETE: 2}
    assert tally.requests == expected
    # the body of a PUT may be framed with its checksum
    assert 2 * len(CONTENT) <= tally.uploaded_bytes <= 2 * len(CONTENT) + 4000
    assert len(CONTENT) <= tally.downloaded_bytes <= len(CONTENT) + 8000


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (s3_faults.SLOW_DOWN, 503),
        (s3_faults.INTERNAL_IN_UPLOAD, 500),
        (s3_faults.EXPIRED_TOKEN, 400),
        (s3_faults.TIME_SKEWED, 403),
        (s3_faults.NO_BUCKET, 404),
        (s3_faults.MINIO_FULL, 507),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_refusal_is_read_by_the_client_and_the_next_request_passes(proxy, faults, bucket, fault, status):
    client = client_of(proxy.url)
    faults.add(fault, times=1, kinds={Kind.PUT})
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=bucket, Key="a", Body=CONTENT)
    assert (code_of(caught), caught.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (fault.code, status)
    client.put_object(Bucket=bucket, Key="a", Body=CONTENT)


@pytest.mark.parametrize(
    "fault", [s3_faults.CUT, s3_faults.CUT_IN_UPLOAD, s3_faults.LOST], ids=lambda fault: fault.name
)
def test_cut_connection_is_an_error_and_only_a_lost_answer_was_done(proxy, faults, server, bucket, key, fault):
    faults.add(fault, times=1)
    with pytest.raises(ConnectionClosedError):
        client_of(proxy.url).put_object(Bucket=bucket, Key=key, Body=CONTENT)
    kept = server.client().list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]
    assert kept == (fault is s3_faults.LOST)


def test_download_that_is_cut_has_half_of_its_bytes(proxy, faults, bucket):
    client = client_of(proxy.url)
    client.put_object(Bucket=bucket, Key="a", Body=CONTENT)
    faults.add(s3_faults.CUT_IN_DOWNLOAD, times=1)
    with pytest.raises((BotoCoreError, ResponseStreamingError)):
        client.get_object(Bucket=bucket, Key="a")["Body"].read()
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == CONTENT


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_stalled_server_is_given_up_by_the_client(proxy, faults, bucket, moment):
    faults.add(stall(30, moment), times=1)
    with pytest.raises(ReadTimeoutError):
        client_of(proxy.url, read_timeout=0.3).put_object(Bucket=bucket, Key="a", Body=b"1")


def test_server_that_is_away_is_a_broken_connection():
    with serving_proxy(S3Proxy("http://127.0.0.1:9")) as proxy, pytest.raises(ConnectionClosedError):
        client_of(proxy.url).list_buckets()


def test_precondition_fails_only_where_there_is_one(proxy, faults, bucket, key):
    client = client_of(proxy.url)
    faults.add(s3_faults.PRECONDITION)
    client.put_object(Bucket=bucket, Key="a", Body=b"1")
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")
    assert code_of(caught) == "PreconditionFailed"


def test_error_within_a_200_is_an_error_to_the_client(proxy, faults, bucket):
    client = client_of(proxy.url)
    client.put_object(Bucket=bucket, Key="a", Body=b"1")
    faults.add(s3_faults.ERROR_IN_200, times=1)
    with pytest.raises(ClientError) as caught:
        client.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    assert code_of(caught) == "InternalError"


def test_seeded_faults_are_the_same_for_the_same_seed_whatever_the_order():
    shares = {s3_faults.SLOW_DOWN: 0.2, s3_faults.LOST: 0.2}
    asked = [Asked(Kind.GET, "b", f"key {number % 20}") for number in range(200)]

    def outcomes(seed, order):
        faults = SeededFaults(seed, shares)
        return sorted((one.key, str(faults.next(one))) for one in order)

    assert outcomes(1, asked) == outcomes(1, sorted(asked, key=lambda one: one.key))
    assert outcomes(1, asked) != outcomes(2, asked)
    share = sum(outcome != "None" for _, outcome in outcomes(1, asked)) / len(asked)
    assert 0.25 < share < 0.55


def test_proxy_in_a_process_of_its_own_counts_by_label(server, bucket, tmp_path):
    process = ProxyProcess(server.endpoint, 0.001, tmp_path / "log")
    process.program.start()
    try:
        process.program.wait()
        client = client_of(process.url)
        process.label("first step")
        client.put_object(Bucket=bucket, Key="a", Body=b"123")
        process.label("second")
        client.get_object(Bucket=bucket, Key="a")["Body"].read()
        tallies = process.tallies()
    finally:
        process.program.stop()
    assert {label: dict(tally.requests) for label, tally in tallies.items()} == {
        "first step": {"put": 1},
        "second": {"get": 1},
    }
    assert tallies["second"].downloaded_bytes == 3
