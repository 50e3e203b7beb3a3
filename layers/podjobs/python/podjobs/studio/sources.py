"""Finds out what a recording consists of, given its mediapackage: its sources, which are fetched next, and its cut."""

import posixpath
from collections.abc import Callable
from urllib.parse import urlsplit

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import RemoteFile, StudioJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Stage
from podjobs.contract.ports.storage import Storage
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import workflow_of
from podjobs.studio.mediapackage import LARGEST_BYTES, Mediapackage, read_cut, read_mediapackage
from podjobs.studio.steps import named

CUTTING_NAME = "cutting.smil"
LONGEST_SUFFIX = 10

MayName = Callable[[str], bool]
"""Whether files of a host may be named, besides those of the mediapackage's own."""


def find_sources(job: StudioJob, storage: Storage, may_name: MayName) -> tuple[StudioJob, Stage]:
    """What a recording is, as far as its files are there.

    Args:
        job: what it names in `fetch` is there.
        storage: where it is.
        may_name: which other hosts a mediapackage may name.

    Returns:
        The job as it goes on, and its first stage. If the job names more to be fetched now, that comes first.

    Raises:
        InvalidRequestError: the mediapackage or the cut cannot be read, or names what must not be fetched.
    """
    stage = named(workflow_of(job).first_stage, job)
    if job.mediapackage is None:
        return job, stage
    if not job.sources:
        url = next(one.url for one in job.fetch if one.key == job.mediapackage)
        found = read_mediapackage(_read(job.mediapackage, storage), url)
        return _with_sources(job, found, url, may_name), stage
    cutting = posixpath.join(posixpath.dirname(job.mediapackage), CUTTING_NAME)
    if job.cut is None and any(one.key == cutting for one in job.fetch):
        job = job.model_copy(update={"cut": read_cut(_read(cutting, storage))})
    return job, stage


def _read(key: Key, storage: Storage) -> bytes:
    with storage.open(key) as file:
        return file.read(LARGEST_BYTES + 1)


def _with_sources(job: StudioJob, found: Mediapackage, package_url: str, may_name: MayName) -> StudioJob:
    folder = posixpath.dirname(job.mediapackage or "")
    given = {"presentation": found.presentation, "presenter": found.presenter}
    keys = {name: f"{folder}/{name}{_suffix_of(url)}" for name, url in given.items() if url is not None}
    fetch = [_remote(url, keys[name], package_url, may_name) for name, url in given.items() if url is not None]
    if found.cutting is not None:
        fetch.append(_remote(found.cutting, f"{folder}/{CUTTING_NAME}", package_url, may_name))
    layout = found.layout if len(keys) > 1 else "alone"
    return job.model_copy(update={**keys, "layout": layout, "fetch": (*job.fetch, *fetch)})


def _remote(url: str, key: Key, package_url: str, may_name: MayName) -> RemoteFile:
    host, own = urlsplit(url).hostname, urlsplit(package_url).hostname
    if urlsplit(url).scheme not in {"http", "https"} or not host or (host != own and not may_name(host)):
        raise InvalidRequestError(
            f"The mediapackage names {redact(url)[:200]!r}, which is not on its own host {own!r}. Add the other host "
            "to PODJOBS_FETCH_HOSTS if its files may be fetched."
        )
    return RemoteFile(url=url, key=key)


def _suffix_of(url: str) -> str:
    suffix = posixpath.splitext(urlsplit(url).path)[1]
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= LONGEST_SUFFIX else ""
