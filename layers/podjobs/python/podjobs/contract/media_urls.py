"""The forms of MEDIA_URL, which names the media storage: one row per scheme. Pure; backends/storage.py opens it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class MediaUrlForm:
    """How a URL of one scheme is written."""

    example: str
    """Shown to administrators."""
    matches: Callable[[SplitResult], bool]
    """Whether a URL of this scheme is complete."""


MEDIA_URL_FORMS: Mapping[str, MediaUrlForm] = {
    "file": MediaUrlForm(
        "file:///path/to/media", lambda url: url.netloc in {"", "localhost"} and url.path.startswith("/")
    ),
    "s3": MediaUrlForm(
        "s3://bucket/prefix",
        lambda url: (
            bool(re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", url.netloc)) and not (url.query or url.fragment)
        ),
    ),
}
"""Scheme → its form."""


def split_media_url(media_url: str) -> SplitResult:
    """Split the URL of a media root into its components.

    Args:
        media_url: its scheme has a row in `MEDIA_URL_FORMS`.

    Raises:
        ValueError: it has none of the forms; the message names them.
    """
    url = urlsplit(media_url)
    form = MEDIA_URL_FORMS.get(url.scheme)
    if form is None or not form.matches(url):
        raise ValueError(f"must be of the form {' or '.join(form.example for form in MEDIA_URL_FORMS.values())}")
    return url
