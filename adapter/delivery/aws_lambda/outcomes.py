"""What becomes of a request whose invocation Lambda, or the way to it, has not completed. Pure.

    not begun, and others fare alike     FunctionBusyError   throttled, being updated, no access, wrong name
    begun, and perhaps done              StepFailedError     the function died, its time ran out, the answer was lost
    never to succeed                     StepRefusedError    the request is too large

Source: AWS, «Invoke», Errors; «Lambda quotas»; botocore.exceptions.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from adapter.delivery import DeliveryError, FunctionBusyError, StepFailedError, StepRefusedError, delivery_problem
from podjobs.contract.bounds import cut_text
from podjobs.contract.redaction import redact
from podjobs.contract.retry_after import read_retry_after

LOG_BYTES = 1500
"""How much of the end of a function's log is told."""

_ACCESS = "Give the adapter a role or credentials that may call lambda:InvokeFunction for it."
_THROTTLES = {
    "ReservedFunctionConcurrentInvocationLimitExceeded": "All of the function's reserved concurrency is in use: keep "
    "PODJOBS_CONCURRENCY_… of all adapters together below it, or raise it.",
    "ConcurrentInvocationLimitExceeded": "The account's concurrency is used up in this region: have AWS raise the "
    "quota, or lower PODJOBS_CONCURRENCY_….",
    "CallerRateLimitExceeded": "Lambda is called too often.",
    "FunctionInvocationRateLimitExceeded": "The function is invoked too often for its reserved concurrency.",
    "ReservedFunctionInvocationRateLimitExceeded": "The function is invoked too often for its reserved concurrency.",
    "ConcurrentSnapshotCreateLimitExceeded": "The account makes too many snapshots at once.",
}
_THROTTLE_CODES = frozenset({
    "RequestLimitExceeded", "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
    "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
"""Of AWS's services in general. Source: botocore, `retries/standard.py`."""
_LOGIN = frozenset({
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired", "SignatureDoesNotMatch",
    "UnrecognizedClientException",
})  # fmt: skip
_NOT_READY = {
    "ResourceConflictException": "It is being made or updated.",
    "ResourceNotReadyException": "It is inactive or being made.",
    "ServiceUnavailableException": "Lambda is unavailable.",
    "RequestTimeoutException": "Lambda took too long.",
    "EC2Throttled": "EC2 does not take more requests of Lambda now.",
    "EC2": "Its network interfaces cannot be made: its execution role needs AWSLambdaVPCAccessExecutionRole.",
    "ENI": "The VPC has no network interface left.",
    "Subnet": "A subnet has no address left: name larger ones.",
    "InvalidSubnet": "One of its subnets does not exist.",
    "InvalidSecurityGroup": "One of its security groups does not exist.",
    "EFS": "Its file system cannot be mounted: check mount targets, security groups (port 2049) and the access point.",
    "S3Files": "Its file system of S3 Files cannot be mounted: check mount targets, security groups and the access "
    "point.",
    "KMS": "Its environment cannot be decrypted: its execution role needs kms:Decrypt for its key, which must be "
    "enabled.",
    "SnapStart": "Its snapshot is not ready.",
    "InvalidZipFile": "Its code cannot be opened: deploy it again.",
    "InvalidRuntime": "Its runtime is not supported any more: deploy it again.",
    "CodeArtifact": "Its code cannot be fetched: deploy it again.",
}
"""Codes, or what they begin with: the function cannot be started now."""
_CANNOT_START = frozenset({
    "StartError", "Runtime.ImportModuleError", "Runtime.HandlerNotFound", "Runtime.MalformedHandlerName",
    "Runtime.UserCodeSyntaxError", "Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir",
    "Runtime.InvalidTaskConfig",
})  # fmt: skip
"""Kinds of errors of a function that has not got as far as to take requests."""
_OUT_OF_MEMORY = ("Runtime.OutOfMemory", "signal: killed")
_TIMED_OUT = ("Sandbox.Timedout", "Task timed out")
_NO_LOGIN = (
    CredentialRetrievalError, LoginError, NoAuthTokenError, NoCredentialsError, PartialCredentialsError,
    ProfileNotFound, SSOError, TokenRetrievalError,
)  # fmt: skip
_REQUEST_ID = re.compile(r"RequestId: [0-9a-f-]{36}\s*(Error: )?")
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[^\S\n ]|[\x00-\x08\x0b-\x1f\x7f]")


def error_of_refusal(error: ClientError, name: str) -> DeliveryError:
    """What it means that Lambda has answered with an error of its own.

    Args:
        error: the answer.
        name: of the function.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    metadata = error.response.get("ResponseMetadata", {})
    said = f"{code}: {_one_line(error.response.get('Error', {}).get('Message', ''))}".rstrip(": ")
    status = int(metadata.get("HTTPStatusCode") or HTTPStatus.BAD_GATEWAY)
    if code in _THROTTLE_CODES or status == HTTPStatus.TOO_MANY_REQUESTS:
        reason = _THROTTLES.get(str(error.response.get("Reason", "")), "Lambda does not take more requests now.")
        wait_s = read_retry_after(metadata.get("HTTPHeaders", {}).get("retry-after"))
        detail = f"The Lambda function {name} is throttled. {reason}"
        return FunctionBusyError(delivery_problem(detail, HTTPStatus.TOO_MANY_REQUESTS), wait_s)
    if code in _LOGIN:
        return _shut_out(f"AWS does not let the adapter invoke the Lambda function {name} ({said}). {_ACCESS}")
    if code in {"ResourceNotFoundException", "InvalidParameterValueException"}:
        detail = (
            f"There is no Lambda function {name} in this account and region ({said}). Correct its URL, or deploy it."
        )
        return FunctionBusyError(delivery_problem(detail, HTTPStatus.NOT_FOUND))
    if code == "RequestTooLargeException":
        detail = f"The request is larger than Lambda takes ({said})."
        return StepRefusedError(delivery_problem(detail, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
    for beginning, remedy in _NOT_READY.items():
        if code.startswith(beginning):
            detail = f"The Lambda function {name} cannot be started now. {remedy} Lambda says: {said}."
            return FunctionBusyError(delivery_problem(detail, HTTPStatus.SERVICE_UNAVAILABLE))
    detail = f"Lambda answered with an error when it was to invoke the function {name} ({said or status})."
    # 503 without a code of Lambda's: of a proxy or a load balancer
    outcome = FunctionBusyError if status == HTTPStatus.SERVICE_UNAVAILABLE else StepFailedError
    return outcome(delivery_problem(detail, max(status, HTTPStatus.BAD_REQUEST)))


def error_of_way(error: BotoCoreError | ValueError, name: str) -> DeliveryError:
    """What it means that Lambda could not be asked, or its answer was lost.

    Args:
        error: raised by botocore.
        name: of the function.
    """
    if isinstance(error, NoRegionError):
        return _shut_out(f"It is not known in which region the Lambda function {name} is: set AWS_REGION.")
    if isinstance(error, _NO_LOGIN):
        return _shut_out(
            f"There are no AWS credentials to invoke the Lambda function {name} with ({_one_line(error)}). {_ACCESS}"
        )
    told = f"{type(error).__name__}: {_one_line(error)}"
    if isinstance(error, (HTTPClientError, IncompleteReadError)):
        detail = f"The answer of the Lambda function {name} was lost ({told})."
        return StepFailedError(delivery_problem(detail, HTTPStatus.BAD_GATEWAY))
    # it could not be connected to, or AWS's own settings are wrong: nothing was sent
    detail = (
        f"Lambda cannot be reached to invoke the function {name} ({told}). "
        "Without a way to the internet, a VPC needs an endpoint for lambda. AWS_ENDPOINT_URL_LAMBDA names another."
    )
    return FunctionBusyError(delivery_problem(detail, HTTPStatus.SERVICE_UNAVAILABLE))


def error_of_function(payload: Any, log: str, name: str, limit_s: float) -> DeliveryError:
    """What it means that a function has died of a request.

    Args:
        payload: the parsed answer: errorType, errorMessage and others; anything if it is none of Lambda's.
        log: the end of the function's log, as far as it is known.
        name: of the function.
        limit_s: seconds that the request may take.
    """
    fault = payload if isinstance(payload, Mapping) else {}
    kind = str(fault.get("errorType") or "")
    said = _REQUEST_ID.sub("", _one_line(fault.get("errorMessage") or ""))
    context = {"log": tail} if (tail := clean_log(log)) else {}
    if kind in _CANNOT_START or kind.startswith("Extension."):
        detail = f"The Lambda function {name} cannot start. {said or kind}"
        problem = delivery_problem(detail, HTTPStatus.SERVICE_UNAVAILABLE)
        return FunctionBusyError(problem.model_copy(update={"context": context}))
    if any(mark in kind or mark in said for mark in _TIMED_OUT):
        detail = (
            f"The Lambda function {name} was ended by its time-out: {said}. This request may take {limit_s:g} s: set "
            "the function's Timeout to that, or to 900 s, the most there is."
        )
        status = HTTPStatus.GATEWAY_TIMEOUT
    elif any(mark in kind or mark in said for mark in _OUT_OF_MEMORY):
        detail = (
            f"The Lambda function {name} was killed: it has probably run out of memory. Raise its MemorySize. {said}"
        )
        status = HTTPStatus.BAD_GATEWAY
    else:
        what = ": ".join(filter(None, (kind, said))) or json.dumps(payload, ensure_ascii=False, default=str)[:LOG_BYTES]
        detail = f"The Lambda function {name} failed without an answer. {what}"
        status = HTTPStatus.BAD_GATEWAY
    problem = delivery_problem(f"{detail.rstrip('.')}.", status)
    return StepFailedError(problem.model_copy(update={"context": context}))


def clean_log(log: str) -> str:
    """The end of a function's log, without what terminals would obey, and without logins in URLs."""
    lines = _UNPRINTABLE.sub(" ", log.replace("\r", "\n")).split("\n")
    text = redact("\n".join(line.rstrip() for line in lines if line.strip()))
    return cut_text(text[-LOG_BYTES:], LOG_BYTES)


def _shut_out(detail: str) -> FunctionBusyError:
    return FunctionBusyError(delivery_problem(detail, HTTPStatus.FORBIDDEN))


def _one_line(text: Any) -> str:
    return redact(" ".join(_UNPRINTABLE.sub(" ", str(text)).split()))[:LOG_BYTES].rstrip(".")
