"""What an S3 server or the SDK says becomes an error that tells an administrator what to do, and no secret."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)

from podjobs.backends.s3.errors import s3_errors
from podjobs.contract.errors import (
    FileChangedError,
    InvalidRequestError,
    MissingFileError,
    OperatorNeededError,
    RetryableError,
    UnavailableError,
)

WHAT = "The file '/pod/media/a.mp4' cannot be read"
WHERE = "bucket 'media' at https://s3.example.org"


def answer(code, message="as the server words it."):
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}, "GetObject")


def translate(error, renew=lambda: None):
    with pytest.raises(Exception) as raised, s3_errors(WHAT, WHERE, renew):  # noqa: PT011 - which one is the question
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("NoSuchBucket", OperatorNeededError, "Create the bucket"),
        ("InvalidAccessKeyId", OperatorNeededError, "does not accept the credentials"),
        ("SignatureDoesNotMatch", OperatorNeededError, "does not accept the credentials"),
        ("ExpiredToken", OperatorNeededError, "does not accept the credentials"),
        ("AccessDenied", OperatorNeededError, "does not permit it"),
        ("403", OperatorNeededError, "s3:ListBucket"),
        ("RequestTimeTooSkewed", OperatorNeededError, "Synchronise this machine's clock"),
        ("PermanentRedirect", OperatorNeededError, "PODJOBS_S3_REGION"),
        ("QuotaExceeded", OperatorNeededError, "Free some space"),
        ("XMinioStorageFull", OperatorNeededError, "Free some space"),
        ("NotImplemented", OperatorNeededError, "PODJOBS_S3_…"),
        ("SlowDown", UnavailableError, "retried automatically"),
        ("InternalError", UnavailableError, "retried automatically"),
        ("503", UnavailableError, "retried automatically"),
        ("NoSuchKey", MissingFileError, "no such object"),
        ("PreconditionFailed", FileChangedError, "somebody else"),
        ("NoSuchUpload", RetryableError, "NoSuchUpload"),
        ("KeyTooLongError", InvalidRequestError, "another name"),
    ],
)
def test_s3_errors_each_code_is_the_error_that_its_remedy_calls_for(code, kind, words):
    error = translate(answer(code))
    assert type(error) is kind
    assert error.detail.startswith(f"{WHAT}: ")
    assert error.detail.endswith((".", ")."))
    assert words in error.detail


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (NoCredentialsError(), OperatorNeededError, "no usable credentials"),
        (EndpointConnectionError(endpoint_url="https://s3.example.org"), UnavailableError, "does not answer"),
        (ReadTimeoutError(endpoint_url="https://s3.example.org"), UnavailableError, "does not answer"),
        (ConnectionResetError(104, "Connection reset by peer"), UnavailableError, "broke the connection"),
        (SSLError(endpoint_url="https://s3.example.org", error="self-signed"), OperatorNeededError, "PODJOBS_S3_CA"),
        (ParamValidationError(report="Key too long"), InvalidRequestError, "Key too long"),
    ],
)
def test_s3_errors_what_is_no_answer_is_explained_likewise(cause, kind, words):
    error = translate(cause)
    assert type(error) is kind
    assert words in error.detail


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "ExpiredToken", "AccessDenied", "403"])
def test_s3_errors_refused_credentials_are_read_again(code):
    calls = []
    translate(answer(code), lambda: calls.append("renewed"))
    assert calls == ["renewed"]


def test_s3_errors_other_answers_leave_the_credentials_alone():
    calls = []
    translate(answer("SlowDown"), lambda: calls.append("renewed"))
    assert calls == []


def test_s3_errors_what_servers_repeat_of_a_request_is_not_told():
    said = "It differs. AWSAccessKeyId AKIAEXAMPLE StringToSign AWS4-HMAC secret https://h/x?X-Amz-Signature=5ecret"
    error = translate(answer("SignatureDoesNotMatch", said))
    assert "It differs" in error.detail
    assert not any(word in error.detail for word in ("AKIAEXAMPLE", "HMAC", "5ecret"))
