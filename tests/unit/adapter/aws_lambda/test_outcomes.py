"""What it means for a step that Lambda could not be asked, or that its answer was lost."""

import pytest
from botocore import exceptions

from adapter.delivery import FunctionBusyError, StepFailedError
from adapter.delivery.aws_lambda.outcomes import error_of_way

URL = "https://lambda.eu-west-3.amazonaws.com"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.EndpointConnectionError(endpoint_url=URL),
        exceptions.ConnectTimeoutError(endpoint_url=URL),
        exceptions.ProxyConnectionError(proxy_url=URL),
        exceptions.SSLError(endpoint_url=URL, error="self-signed"),
        exceptions.ConfigParseError(path="/root/.aws/config"),
        exceptions.ParamValidationError(report="FunctionName"),
        ValueError("Invalid endpoint: nowhere"),
    ],
)
def test_error_of_way_before_anything_was_sent_does_not_count(error):
    found = error_of_way(error, "pod-encoding")
    assert isinstance(found, FunctionBusyError)
    assert found.problem.status == 503
    assert type(error).__name__ in found.problem.detail


@pytest.mark.parametrize(
    "error",
    [
        exceptions.NoCredentialsError(),
        exceptions.ProfileNotFound(profile="pod"),
        exceptions.CredentialRetrievalError(provider="iam", error_msg="none"),
        exceptions.UnauthorizedSSOTokenError(),
        exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
        exceptions.NoRegionError(),
    ],
)
def test_error_of_way_without_login_or_region_waits_for_the_operator(error):
    found = error_of_way(error, "pod-encoding")
    assert isinstance(found, FunctionBusyError)
    assert found.problem.status == 403


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ReadTimeoutError(endpoint_url=URL),
        exceptions.ConnectionClosedError(endpoint_url=URL),
        exceptions.ResponseStreamingError(error="reset"),
        exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        exceptions.HTTPClientError(error="something else"),
    ],
)
def test_error_of_way_after_the_request_was_sent_is_an_attempt(error):
    assert isinstance(error_of_way(error, "pod-encoding"), StepFailedError)
