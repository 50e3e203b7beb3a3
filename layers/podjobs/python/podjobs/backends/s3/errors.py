"""Errors of an object storage, in terms that an administrator can act on.

    nothing helps but an operator   no such bucket, credentials, permission, clock, region, certificate, quota
    nothing helps but time          the server is busy, or does not answer
    somebody else was faster        a condition of a write does not hold
    there is no such object         of which only its reader knows what it means

Source: Amazon S3 API reference, error responses; the further codes are those of MinIO, Ceph and SeaweedFS.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import NoReturn

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    TokenRetrievalError,
)
from urllib3.exceptions import HTTPError

from podjobs.contract.errors import (
    FileChangedError,
    InvalidRequestError,
    MissingFileError,
    OperatorNeededError,
    RetryableError,
    StepError,
    UnavailableError,
)
from podjobs.contract.redaction import redact

OPERATOR_RETRY_S = 30.0
BUSY_RETRY_S = 10.0

NO_OBJECT = frozenset({"NoSuchKey", "NotFound", "404"})
CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
CREDENTIALS = frozenset({
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "InvalidToken",
    "TokenRefreshRequired", "InvalidClientTokenId", "UnrecognizedClientException",
})  # fmt: skip
REFUSED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "NotSignedUp", "Forbidden", "403"})
CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
REGION = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "301", "307"})
FULL = frozenset({
    "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded",
    "XMinioStorageInsufficient", "BucketQuotaExceeded", "UserQuotaExceeded", "StorageFull", "507",
})  # fmt: skip
BUSY = frozenset({
    "SlowDown", "SlowDownRead", "SlowDownWrite", "ServiceUnavailable", "Throttling", "ThrottlingException",
    "RequestLimitExceeded", "TooManyRequests", "RequestTimeout", "InternalError", "InternalServerError",
    "OperationAborted", "XMinioServerNotInitialized", "429", "500", "502", "503", "504",
})  # fmt: skip
BAD_NAME = frozenset({"KeyTooLongError", "InvalidObjectName", "XMinioInvalidObjectName", "InvalidURI"})
TRANSIENT = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "BadDigest", "InvalidRange"})
NO_BUCKET = frozenset({"NoSuchBucket"})
KNOWN = (NO_OBJECT, CHANGED, CREDENTIALS, REFUSED, CLOCK, REGION, FULL, BUSY, BAD_NAME, TRANSIENT, NO_BUCKET)

NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
)
CREDENTIALS_REMEDY = (
    "Give the functions valid ones (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role of the machine); "
    "the step is retried automatically."
)


def code_of(error: BaseException) -> str:
    """The code of a server's answer; empty if it is none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _kind_of(error: ClientError) -> str:
    """The code of an answer or, if it is of no server that is known here, its HTTP status."""
    code, status = code_of(error), str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    return status if not any(code in known for known in KNOWN) and any(status in known for known in KNOWN) else code


@contextlib.contextmanager
def s3_errors(what: str, where: str, renew: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Turn every error of the SDK into one of ours.

    Args:
        what: what is done, and to which file, as the beginning of a sentence: `The file '/…' cannot be read`.
        where: the bucket and its server, for people.
        renew: called if the credentials were refused: they may have been replaced.

    Raises:
        OperatorNeededError, UnavailableError, FileChangedError, MissingFileError, InvalidRequestError, RetryableError.
    """
    try:
        yield
    except ClientError as error:
        kind = _kind_of(error)
        if kind in CREDENTIALS | REFUSED:
            renew()
        raise _explain(kind, error, what, where) from error
    except NO_CREDENTIALS as error:
        renew()
        detail = f"{what}: there are no usable credentials for {where} ({_said(error)}). {CREDENTIALS_REMEDY}"
        raise OperatorNeededError(detail, retry_after_s=OPERATOR_RETRY_S) from error
    except (BotoCoreError, Boto3Error, HTTPError, OSError) as error:
        _raise_broken(error, what, where)


def _raise_broken(error: Exception, what: str, where: str) -> NoReturn:
    """Explain an error that is no answer of the server."""
    if isinstance(error, ParamValidationError):
        raise InvalidRequestError(f"{what}: {_said(error)}.") from error
    if isinstance(error, SSLError):
        raise OperatorNeededError(
            f"{what}: the certificate of {where} was not accepted ({_said(error)}). Set PODJOBS_S3_CA to the file of "
            "the authority that issued it, or correct PODJOBS_S3_ENDPOINT.",
            retry_after_s=OPERATOR_RETRY_S,
        ) from error
    raise UnavailableError(
        f"{what}: {where} does not answer, or broke the connection ({_said(error)}). The step is retried "
        "automatically; if that lasts, check the server and PODJOBS_S3_ENDPOINT.",
        retry_after_s=BUSY_RETRY_S,
    ) from error


def _explain(kind: str, error: ClientError, what: str, where: str) -> StepError:
    said = f"{code_of(error)}: {_said(error)}"
    if kind in NO_OBJECT:
        return MissingFileError(f"{what}: there is no such object in {where}.")
    if kind in CHANGED:
        return FileChangedError(f"{what}: somebody else has changed it meanwhile.")
    if kind in BUSY:
        detail = f"{what}: {where} is busy or failed ({said}). The step is retried automatically."
        return UnavailableError(detail, retry_after_s=BUSY_RETRY_S)
    if kind in BAD_NAME:
        return InvalidRequestError(f"{what}: its name is not possible in {where} ({said}). Give the file another name.")
    if kind in TRANSIENT:
        return RetryableError(f"{what}: {said}.")
    remedy = next((text for codes, text in REMEDIES if kind in codes), OTHER_REMEDY)
    return OperatorNeededError(f"{what}: {remedy.format(where=where, said=said)}", retry_after_s=OPERATOR_RETRY_S)


REMEDIES: tuple[tuple[frozenset[str], str], ...] = (
    (
        NO_BUCKET,
        "there is no {where}. Create the bucket, or correct MEDIA_URL and PODJOBS_S3_ENDPOINT.",
    ),
    (CREDENTIALS, "{where} does not accept the credentials ({said}). " + CREDENTIALS_REMEDY),
    (
        REFUSED,
        (
            "{where} does not permit it ({said}). Give these credentials the permissions that docs/object-storage.md "
            "lists; without s3:ListBucket, a file that is missing is refused, too."
        ),
    ),
    (
        CLOCK,
        (
            "the clocks of this machine and of {where} differ too much ({said}). Synchronise this machine's clock, by "
            "NTP for instance; the step is retried automatically."
        ),
    ),
    (REGION, "{where} is in another region ({said}). Set PODJOBS_S3_REGION to the bucket's region."),
    (
        FULL,
        "{where} is full, or its quota is used up ({said}). Free some space; the step is retried automatically.",
    ),
)
"""What is wrong, and what an operator can do about it, by the codes of the answer."""
OTHER_REMEDY = (
    "{where} refused the request ({said}). Compare the PODJOBS_S3_… settings with what the server supports "
    "(docs/object-storage.md)."
)


def _said(error: Exception) -> str:
    """What an error says, without what may be secret and without its last full stop."""
    message = error.response.get("Error", {}).get("Message", "") if isinstance(error, ClientError) else str(error)
    # servers repeat the key and what was signed
    message = re.sub(r"\b(AWSAccessKeyId|StringToSign|CanonicalRequest|SignatureProvided)\b.*", "", str(message))
    return redact(" ".join(message.split()))[:300].rstrip(".") or type(error).__name__
