"""The settings of the xapi function."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, SecretStr, model_validator

from podjobs.contract.statements import BATCH_TIMEOUT_S
from podjobs.settings import EndpointSettings

SHORTEST_KEY_CHARS = 16


def _check_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be of the form https://host/…/statements")
    if parts.username or parts.password:
        raise ValueError("must not contain a login: use XAPI_LRS_LOGIN and XAPI_LRS_PWD")
    return url


class XapiSettings(EndpointSettings):
    """The settings that the xapi function reads."""

    xapi_lrs_url: Annotated[str, AfterValidator(_check_address)] = Field(
        description="The complete URL of the LRS's statements endpoint, as in Pod's settings."
    )
    xapi_lrs_login: str = Field(description="Login for the LRS (HTTP basic authentication).")
    xapi_lrs_pwd: SecretStr = Field(description="Password for the LRS (HTTP basic authentication).")
    xapi_anonymize_actor: bool = Field(
        default=False,
        description="Whether the name and address of every person are replaced with a pseudonym, for statements that "
        "arrive with names. Pod's own setting does this in the browser, with another pseudonym.",
    )
    podjobs_xapi_anonymize_key: SecretStr | None = Field(
        default=None,
        description="Secret from which pseudonyms are derived, at least 16 characters. With another key, the same "
        "person gets another pseudonym.",
    )
    podjobs_xapi_version: str = Field(
        default="1.0.3", pattern=r"^\d+\.\d+\.\d+$", description="The X-Experience-API-Version header of requests."
    )
    podjobs_lrs_timeout_s: PositiveFloat = Field(
        default=30,
        le=BATCH_TIMEOUT_S - 20,
        description="How long the LRS may take to respond to a request, in seconds.",
    )
    podjobs_xapi_slots: PositiveInt = Field(
        default=16, description="Batches that one instance of the function handles in parallel."
    )

    @model_validator(mode="after")
    def _has_key(self) -> Self:
        key = self.podjobs_xapi_anonymize_key
        if self.xapi_anonymize_actor and (key is None or len(key.get_secret_value()) < SHORTEST_KEY_CHARS):
            raise ValueError(
                f"XAPI_ANONYMIZE_ACTOR needs PODJOBS_XAPI_ANONYMIZE_KEY, {SHORTEST_KEY_CHARS} characters or more"
            )
        return self
