"""The settings of the web page for administrators."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from podjobs.settings import LogSettings

TOKEN_CHARS = 16
NO_POD = "none"
"""In place of Pod's address, as the function notification takes it."""


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise ValueError("must be an http:// or https:// URL without a login, a query and a fragment")
    return url.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
PodAddress = Annotated[WebAddress | None, BeforeValidator(lambda value: None if value == NO_POD else value)]


class PageSettings(LogSettings):
    """Who may see the page, and where it and Pod are."""

    podjobs_page_token: SecretStr | None = Field(
        default=None,
        description="What administrators show to see the adapter's web page, 16 characters or more. If not set: the "
        "page is for this machine only.",
    )
    podjobs_page_url: WebAddress | None = Field(
        default=None,
        description="Where administrators reach the page from outside, such as https://pod.example.org/podjobs if a "
        "reverse proxy passes that on; for links in the page and in mails. Needs PODJOBS_PAGE_TOKEN.",
    )
    pod_api_url: Annotated[WebAddress | None, BeforeValidator(lambda value: None if value == NO_POD else value)] = (
        Field(default=None, description="Pod's REST interface, as the function notification has it: for links to Pod.")
    )
    pod_media_url: WebAddress | None = Field(
        default=None, description="Pod's MEDIA_URL, absolute: to play on a job's page what it has made."
    )

    @model_validator(mode="after")
    def _has_a_long_token(self) -> Self:
        token = self.podjobs_page_token
        if token is not None and not len(token.get_secret_value()) >= TOKEN_CHARS:
            raise ValueError(f"PODJOBS_PAGE_TOKEN must have {TOKEN_CHARS} characters or more")
        return self

    @property
    def page_root(self) -> str:
        """The path below which the page is reached from outside; empty: it is the server's root."""
        return urlsplit(self.podjobs_page_url or "").path.rstrip("/")

    @property
    def is_public(self) -> bool:
        """Whether the page is reached from other machines."""
        host = urlsplit(self.podjobs_page_url or "//localhost").hostname or ""
        return host not in {"localhost", "127.0.0.1", "::1"}
