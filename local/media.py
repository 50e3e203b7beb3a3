"""The media of a demonstration: a video is placed where Pod keeps uploads, and what was made of it is fetched.

In a folder there is nothing to fetch: the files are where people look for them. From a bucket they are downloaded to
the same places.
"""

import posixpath
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from local.client import place_file, upload_folder
from local.configuration import Configuration
from podjobs.contract.errors import StepError
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.media_urls import split_media_url
from podjobs.settings import MediaSettings

BUCKET_S = 30.0
"""How long the embedded S3 server may take to make its bucket, once it answers."""
POLL_S = 0.2
COPY_BLOCK_BYTES = 1 << 20


def place(source: Path, configuration: Configuration) -> Key:
    """Put a video where Pod keeps uploads; the stack runs.

    Args:
        source: the video.
        configuration: of the stack.

    Returns:
        Its key.

    Raises:
        StepError: it could not be uploaded.
    """
    return place_at(source, posixpath.join(upload_folder(source), source.resolve().name), configuration)


def place_at(source: Path, key: Key, configuration: Configuration) -> Key:
    """Put a video at some place. Arguments, results and errors as of `place`."""
    if configuration.media_dir:
        place_file(source, configuration.media_dir / key)
        return key
    with configuration.media_settings() as settings:
        _upload(source, key, settings)
    return key


def _upload(source: Path, key: Key, settings: MediaSettings) -> None:
    """Upload a video as whatever Pod has mounted the bucket with would do it: to its place, not by way of a job."""
    # here, as those whose media are files need not wait for boto3 to be loaded
    from podjobs.backends.s3.bucket import Bucket  # noqa: PLC0415
    from podjobs.backends.s3.uploads import upload  # noqa: PLC0415

    url = split_media_url(settings.media_location)
    bucket = Bucket(url.netloc, unquote(url.path).strip("/"), MediaPaths(settings.media_root), settings)
    _wait_for(bucket.check)
    upload(bucket, source, key)


def _wait_for(check: Callable[[], None]) -> None:
    deadline = time.monotonic() + BUCKET_S
    while True:
        try:
            return check()
        except StepError:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def fetch(configuration: Configuration, folder: Key, root: Path) -> Path:
    """Provide the files of a folder on this machine.

    Args:
        configuration: of the stack.
        folder: the key of the folder.
        root: what takes the place of the media root, if that is no folder.

    Returns:
        Where they are.

    Raises:
        StepError: they could not be read.
    """
    if configuration.media_dir:
        return configuration.media_dir / folder
    target = root / folder
    target.mkdir(parents=True, exist_ok=True)
    with configuration.open_media() as media:
        for key in media.list_files(folder):
            with media.open(key) as content, (root / key).open("wb") as file:
                shutil.copyfileobj(content, file, COPY_BLOCK_BYTES)
    return target


def fetch_file(configuration: Configuration, key: Key, target: Path) -> bool:
    """Copy a file of the media.

    Returns:
        Whether there is one.

    Raises:
        StepError: it could not be read.
    """
    with configuration.open_media() as media:
        if not media.exists(key):
            return False
        with media.open(key) as content, target.open("wb") as file:
            shutil.copyfileobj(content, file, COPY_BLOCK_BYTES)
    return True


def fetch_to(configuration: Configuration, key: Key, root: Path) -> bool:
    """Provide one file on this machine; arguments and errors as of `fetch`. Whether there is one."""
    target = root / key
    if configuration.media_dir:
        return target.is_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    return fetch_file(configuration, key, target)
