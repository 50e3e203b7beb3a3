"""How the adapter of the stack finds the Lambda service, and what both are told. Pure."""

import secrets
from collections.abc import Mapping

from local.lambda_service.functions import REGION

SERVICE_URL, ACCESS_KEY, SECRET_KEY = "LAMBDA_SERVICE_URL", "LAMBDA_ACCESS_KEY_ID", "LAMBDA_SECRET_ACCESS_KEY"
"""Of the stack's own environment. Under AWS's names they would be those of the media's bucket."""


def made_up_credentials(port: int) -> dict[str, str]:
    """Where the service of a stack is, and with what its clients sign."""
    return {
        SERVICE_URL: f"http://127.0.0.1:{port}",
        ACCESS_KEY: secrets.token_hex(10),
        SECRET_KEY: secrets.token_hex(20),
    }


def service_credentials(given: Mapping[str, str]) -> dict[str, str]:
    """What the service knows of them."""
    return {name: value for name, value in given.items() if name == ACCESS_KEY}


def client_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What makes boto3 invoke the functions of the service; empty: there is none.

    Args:
        given: the environment of the stack, or that of the adapter that runs, whose credentials are the true ones.
    """
    if SERVICE_URL not in given:
        return {}
    return {name: given[name] for name in (SERVICE_URL, ACCESS_KEY, SECRET_KEY)} | {
        "AWS_ENDPOINT_URL_LAMBDA": given[SERVICE_URL],
        "AWS_ACCESS_KEY_ID": given[ACCESS_KEY],
        "AWS_SECRET_ACCESS_KEY": given[SECRET_KEY],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
