"""The settings of the mails to administrators; their names are Django's, as Pod has them."""

import ast
import json
import re
from email.utils import parseaddr
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr, model_validator
from pydantic_settings import NoDecode

from podjobs.language_settings import LanguageSettings
from podjobs.settings import LogSettings

_ADDRESS = re.compile(r'[^\s@,;:<>()\[\]\\"]+@[^\s@,;:<>()\[\]\\"]+')
"""Addresses that people have; all that RFC 5322 allows beside them only makes mistakes look right."""


def _read_admins(value: Any) -> Any:
    """Addresses of Django's forms: pairs of name and address, or addresses; as JSON, as Python, or with commas."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith(("[", "(")):
            try:
                value = json.loads(text)
            except ValueError:
                try:
                    value = ast.literal_eval(text)
                except (ValueError, SyntaxError) as error:
                    raise ValueError(
                        'must be addresses with commas between them, or [["name", "address"], …]'
                    ) from error
        else:
            value = [part for part in text.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of addresses, or of pairs of a name and an address")  # noqa: TRY004 - for pydantic
    return tuple(_address(one) for one in value)


def _address(one: Any) -> str:
    address = one[1] if isinstance(one, list | tuple) and len(one) == 2 else one  # noqa: PLR2004 - name and address
    address = address.strip() if isinstance(address, str) else ""
    if not _is_address(address):
        raise ValueError("must contain addresses such as anna@example.org")
    return address


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) and text.isprintable()


Admins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_read_admins)]


class AlertSettings(LogSettings, LanguageSettings):
    """Whom to tell, through which server, and of what."""

    admins: Admins = Field(
        default=(),
        description="Who gets mail when something needs an operator: addresses with commas between them, or Django's "
        'form, [["Anna", "anna@example.org"]]. If not set: nobody.',
    )
    email_host: str = Field(default="localhost", description="The mail server.")
    email_port: PositiveInt = Field(default=25, le=65535, description="Its port.")
    email_host_user: str = Field(default="", description="Login at the mail server. If not set: without a login.")
    email_host_password: SecretStr = Field(default=SecretStr(""), description="Password of that login.")
    email_use_tls: bool = Field(default=False, description="Whether to encrypt with STARTTLS, usually on port 587.")
    email_use_ssl: bool = Field(default=False, description="Whether to encrypt from the start, usually on port 465.")
    email_timeout: PositiveFloat = Field(default=30, description="Longest wait for the mail server, in seconds.")
    default_from_email: str = Field(default="podjobs@localhost", description="Sender of the mails.")
    email_subject_prefix: str = Field(default="[pod-functions] ", description="What the mails' subjects begin with.")
    podjobs_backlog_alert_s: NonNegativeFloat = Field(
        default=3600,
        description="How long a job, a step or a statement may wait until administrators get a mail, in seconds. 0: "
        "however long.",
    )

    @model_validator(mode="after")
    def _has_one_encryption(self) -> Self:
        if self.email_use_tls and self.email_use_ssl:
            raise ValueError(
                "EMAIL_USE_TLS and EMAIL_USE_SSL must not both be set: choose what the server's port expects"
            )
        return self

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        if not self.admins:
            return self
        if not _is_address(parseaddr(self.default_from_email)[1]):
            raise ValueError("DEFAULT_FROM_EMAIL must be an address such as podjobs@example.org, if ADMINS is set")
        if not (self.email_host_user + self.email_host_password.get_secret_value()).isascii():
            raise ValueError(
                "EMAIL_HOST_USER and EMAIL_HOST_PASSWORD must consist of ASCII characters, if ADMINS is set: others "
                "cannot be sent to a mail server; choose another password there"
            )
        return self
