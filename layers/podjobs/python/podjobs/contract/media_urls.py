"""Where media may lie, as MEDIA_URL says it: one row a scheme. Pure; backends/storage.py opens what is named here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class MediaUrlForm:
    """How a URL of one scheme is written."""

    example: str
    """As an administrator is shown it."""
    matches: Callable[[SplitResult], bool]
    """Whether a URL of this scheme has what is needed."""


MEDIA_URL_FORMS: Mapping[str, MediaUrlForm] = {
    "file": MediaUrlForm(
        "file:///path/to/media", lambda url: url.netloc in {"", "localhost"} and url.path.startswith("/")
    ),
}
"""Scheme → its form."""


def split_media_url(media_url: str) -> SplitResult:
    """Take a media root's URL apart.

    Args:
        media_url: of a scheme that has a row in `MEDIA_URL_FORMS`.

    Raises:
        ValueError: it is of none of the forms; the text names them.
    """
    url = urlsplit(media_url)
    form = MEDIA_URL_FORMS.get(url.scheme)
    if form is None or not form.matches(url):
        raise ValueError(f"must be of the form {' or '.join(form.example for form in MEDIA_URL_FORMS.values())}")
    return url
