"""Which secrets there are: what PODJOBS_SECRETS says. Pure.

    PODJOBS_SECRETS=podjobs/functions,arn:aws:secretsmanager:eu-west-3:123456789012:secret:podjobs/redis-AbCdEf
    PODJOBS_SECRETS=file:///run/secrets/podjobs.json

Source: AWS, CreateSecret (characters of a name); AWS, «ARN format» of Secrets Manager.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from podjobs.secret_store import SecretsError

VARIABLE = "PODJOBS_SECRETS"
_NAME = r"[A-Za-z0-9/_+=.@!-]{1,512}"
_AWS = re.compile(rf"arn:[a-z-]+:secretsmanager:(?P<region>[a-z0-9-]+):\d+:secret:{_NAME}|{_NAME}")
_FORMS = (
    "must list names or ARNs of AWS Secrets Manager, or files such as file:///run/secrets/podjobs.json, with commas "
    "between them"
)


@dataclass(frozen=True, slots=True)
class AwsSecret:
    """A secret of AWS Secrets Manager."""

    id: str
    """Its name or ARN."""
    region: str | None
    """Where it is; None: where AWS's own configuration says."""

    def __str__(self) -> str:
        return f"secret {self.id!r}"


@dataclass(frozen=True, slots=True)
class FileSecret:
    """A file, which is replaced in place when its secrets are."""

    path: Path

    def __str__(self) -> str:
        return f"secret file {str(self.path)!r}"


Reference = AwsSecret | FileSecret


def read_references(written: str) -> tuple[Reference, ...]:
    """Read a list of secrets, each once.

    Args:
        written: as in the setting.

    Raises:
        SecretsError: an entry is none, or there is none. It is not repeated: it may be the secret itself.
    """
    entries = _split(written)
    if not entries:
        raise SecretsError(f"{VARIABLE}: {_FORMS}.")
    return tuple(dict.fromkeys(_read(entry, number) for number, entry in enumerate(entries, 1)))


def names_aws(written: str) -> bool:
    """Whether a list of secrets names one of AWS; it need not be right."""
    return any(not entry.startswith("file:") for entry in _split(written))


def _split(written: str) -> list[str]:
    return [entry for part in written.split(",") if (entry := part.strip())]


def _read(entry: str, number: int) -> Reference:
    if entry.startswith("file:"):
        url = urlsplit(entry)
        if url.netloc not in {"", "localhost"} or not url.path.startswith("/") or url.query or url.fragment:
            raise SecretsError(f"{VARIABLE}: {_FORMS}; entry {number} does not have the form file:///path.")
        return FileSecret(Path(unquote(url.path)))
    found = _AWS.fullmatch(entry)
    if found is None:
        raise SecretsError(f"{VARIABLE}: {_FORMS}; entry {number} is neither. The secret itself does not belong there.")
    return AwsSecret(entry, found["region"])
