"""A web server, and a function that fetches from it into each kind of media storage."""

import pytest

from podjobs.backends.http_fetch import HttpFetcher
from podjobs.contract.jobs import EncodingJob, RemoteFile
from podjobs.contract.reply_to import Nobody
from podjobs.contract.steps import Step
from podjobs.contract.web_hosts import HostRules
from podjobs.encoding.settings import EncodingSettings
from podjobs.fetching.function import FetchFunction
from support.media_storages import POD_ROOT, STORAGES
from support.video_web import VideoWeb

LOOPBACK = HostRules(private=("127.0.0.0/8",))
SOURCE = "runner/job-1/source/a.mp4"


@pytest.fixture
def media(request, tmp_path):
    """An empty place for media: a folder, unless the test says otherwise."""
    with STORAGES[getattr(request, "param", "file")](tmp_path) as media:
        yield media


@pytest.fixture
def web():
    with VideoWeb().serving() as web:
        yield web


@pytest.fixture
def fetch(media):
    """Performs one step that fetches files: (URL → key) …"""

    def perform(files, *, rules=LOOPBACK, timeout_s=60, params=None, **settings):
        values = {"media_root": POD_ROOT, "podjobs_fetch_private": ["127.0.0.0/8"]} | settings
        function = FetchFunction(lambda: HttpFetcher(rules), media.open(), EncodingSettings.model_validate(values))
        remote = tuple(RemoteFile(url=url, key=key) for url, key in files.items())
        job = EncodingJob(
            id="job-1", target="runner:pod:1", reply_to=Nobody(), fetch=remote, source=SOURCE,
            output_folder="runner/job-1/result",
        )  # fmt: skip
        step = Step(
            job=job, function="encoding", step_id="fetch", action="fetch", params=params or {}, accepted_at=0,
            timeout_s=timeout_s,
        )  # fmt: skip
        return function.handle(step)

    return perform
