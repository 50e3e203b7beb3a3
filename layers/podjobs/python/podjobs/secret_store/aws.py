"""Secrets in AWS Secrets Manager.

Credentials and the region are found as AWS's own tools find them. The client is made anew for each reading: that takes
a twentieth of a second every few minutes, needs no care after a fork, and finds credentials that were replaced.

Source: AWS, GetSecretValue (answers and errors); «Secrets Manager staging labels».
"""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError

from podjobs.secret_store import FUNCTION_SECRET, PREVIOUS_FOR_S, SecretsError
from podjobs.secret_store.documents import Document, read_document
from podjobs.secret_store.references import AwsSecret

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
CONFIG = Config(
    connect_timeout=2,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 2},  # Lambda ends a start that takes ten seconds
    user_agent_extra="pod-functions",
)
_REGION = "Name it by its ARN, or set AWS_REGION."
_LOGIN = "Give the program a role or credentials that may call secretsmanager:GetSecretValue."
_REMEDIES = {
    "ResourceNotFoundException": "does not exist in this account and region, or has no current version. Create it, or "
    "correct PODJOBS_SECRETS.",
    "AccessDeniedException": "may not be read. Allow the program's role secretsmanager:GetSecretValue for it, and "
    "kms:Decrypt if it has a key of its own.",
    "DecryptionFailure": "cannot be decrypted. Allow the program's role kms:Decrypt for its key.",
    "InvalidRequestException": "cannot be read in its state: is it marked for deletion? Restore it.",
    "ThrottlingException": "cannot be read now: Secrets Manager is asked too often (throttled).",
    "InternalServiceError": "cannot be read now: Secrets Manager has an internal error.",
}
_REFUSED_LOGINS = frozenset({
    "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip


def read_secret(secret: AwsSecret) -> Document:
    """Read a secret's current version, and of the one before it what is still to be accepted.

    Raises:
        SecretsError: there is none that can be used; the sentence says why, and what to do about it.
    """
    try:
        # boto3 itself knows AWS_DEFAULT_REGION alone
        region = secret.region or os.environ.get("AWS_REGION") or None
        client = boto3.session.Session().client("secretsmanager", region_name=region, config=CONFIG)
        answer = client.get_secret_value(SecretId=secret.id, VersionStage=CURRENT)
        document = read_document(_text(answer, secret), str(secret))
        created = answer.get("CreatedDate") or datetime.now(tz=UTC)
        previous_for_s = PREVIOUS_FOR_S - (datetime.now(tz=UTC) - created).total_seconds()
        previous: dict[str, Any] = {}
        if FUNCTION_SECRET in document.settings and previous_for_s > 0:
            previous = _read_previous(client, secret)
    except ClientError as error:
        raise SecretsError(_explain_answer(error, secret)) from None
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise SecretsError(_explain_failure(error, secret)) from None
    version = f"of {created.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return replace(document, version=version, previous=previous, previous_for_s=previous_for_s)


def _read_previous(client: Any, secret: AwsSecret) -> dict[str, Any]:
    """What the version before says of the functions' secret; nothing if it cannot be told: the new one suffices."""
    with suppress(ClientError, BotoCoreError, SecretsError):
        answer = client.get_secret_value(SecretId=secret.id, VersionStage=PREVIOUS)
        document = read_document(_text(answer, secret), str(secret))
        return {name: value for name, value in document.settings.items() if name == FUNCTION_SECRET}
    return {}


def _text(answer: dict[str, Any], secret: AwsSecret) -> str:
    text = answer.get("SecretString")
    if not isinstance(text, str):
        raise SecretsError(f"The {secret} is binary. Store a JSON object of settings as its text.")
    return text


def _explain_answer(error: ClientError, secret: AwsSecret) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _REFUSED_LOGINS:
        return f"The {secret} cannot be read: AWS does not accept the credentials ({code}). {_LOGIN}"
    if code in _REMEDIES:
        return f"The {secret} {_REMEDIES[code]}"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return f"The {secret} cannot be read: Secrets Manager answered {code or 'without a reason'} ({status})."


def _explain_failure(error: Exception, secret: AwsSecret) -> str:
    if isinstance(error, NoRegionError):
        return f"The {secret} cannot be looked for: no region is set. {_REGION}"
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return f"The {secret} cannot be read: there are no AWS credentials. {_LOGIN}"
    if isinstance(error, (HTTPClientError, BotocoreConnectionError)):
        return (
            f"The {secret} cannot be read: Secrets Manager cannot be reached ({type(error).__name__}). Without a way "
            "to the internet, a VPC needs an endpoint for secretsmanager."
        )
    return f"The {secret} cannot be read ({type(error).__name__}). Correct AWS's configuration."
