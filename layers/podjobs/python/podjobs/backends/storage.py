"""Opens the media storage that the settings name: one row per scheme of MEDIA_URL."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote

from podjobs.backends.files import FileStorage
from podjobs.contract.media_urls import split_media_url
from podjobs.contract.ports.storage import Storage
from podjobs.settings import MediaSettings

HASTE = {"podjobs_s3_attempts": 1, "podjobs_s3_timeout_s": 5.0}
"""For a look at an object storage for which a start waits. Steps have the patience that the settings say."""


def open_storage(settings: MediaSettings) -> Storage:
    """Open the media storage; nothing is accessed before the first step needs it.

    Args:
        settings: where the media are, and the path by which Pod knows them.
    """
    url = split_media_url(settings.media_location)
    return STORAGES[url.scheme](url, settings)


def find_media_obstacle(settings: MediaSettings) -> str:
    """Find out, at a start, whether files can be written to the media so that Pod can use them.

    A server that does not answer is soon given up: a function that does not start would not even say so.

    Args:
        settings: where the media are.

    Returns:
        A sentence for the operator, with the remedy; empty: nothing is wrong.
    """
    return open_storage(settings.model_copy(update=HASTE)).find_obstacle()


def _open_files(url: SplitResult, settings: MediaSettings) -> Storage:
    return FileStorage(Path(unquote(url.path)), settings.media_root, settings.podjobs_media_links)


def _open_s3(url: SplitResult, settings: MediaSettings) -> Storage:
    # here, as those whose media are files need not wait for boto3 to be loaded
    from podjobs.backends.s3.storage import open_bucket  # noqa: PLC0415

    return open_bucket(url, settings)


STORAGES: Mapping[str, Callable[[SplitResult, MediaSettings], Storage]] = {"file": _open_files, "s3": _open_s3}
"""Scheme → what opens such a storage; contract/media_urls.py describes how its URLs are written."""
