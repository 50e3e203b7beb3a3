"""A job whose media are in a bucket of a real S3 server, behind a proxy that takes its time and counts."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

from benchmarks.encoding_job import OUTPUT, SOURCE, EncodingRun, TimedStep
from podjobs.contract.plans import Stage, StepSpec
from podjobs.encoding.settings import EncodingSettings
from support.s3_proxy import ProxyProcess
from support.s3_requests import Tally
from support.s3_server import S3Server, credentials, s3_server

PREFIX = "pod"
"""Of all keys: a bucket is mostly shared with others."""
POD_ROOT = "/usr/local/pod/media"


@dataclass(frozen=True)
class MeasuredBucket:
    """An S3 server, and the proxy before it. Both are processes of their own: their processor time is not ours."""

    server: S3Server
    proxy: ProxyProcess

    def settings(self, **settings: Any) -> EncodingSettings:
        """The function's settings for media in this bucket; the rest is default or as the environment says."""
        url = f"s3://{self.server.bucket}/{PREFIX}"
        return EncodingSettings(media_root=POD_ROOT, media_url=url, podjobs_s3_endpoint=self.proxy.url, **settings)

    def place(self, source: Path) -> None:
        """Put the source into an empty media root, past the proxy."""
        self.clear()
        self.server.client().upload_file(str(source), self.server.bucket, f"{PREFIX}/{SOURCE}")

    def clear(self) -> None:
        """Remove everything."""
        client = self.server.client()
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.server.bucket):
            if keys := [{"Key": one["Key"]} for one in page.get("Contents", ())]:
                client.delete_objects(Bucket=self.server.bucket, Delete={"Objects": keys})

    def published(self) -> dict[str, int]:
        """The names and sizes of the files that were made."""
        begin = f"{PREFIX}/{OUTPUT}/"
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=self.server.bucket, Prefix=begin)
        return {one["Key"].removeprefix(begin): one["Size"] for page in pages for one in page.get("Contents", ())}


@contextmanager
def measured_bucket(latency_s: float, log: Path) -> Iterator[MeasuredBucket]:
    """Start a server and its proxy. Meanwhile, the environment of this process has the server's credentials.

    Args:
        latency_s: added before each request.
        log: the proxy's.
    """
    former = dict(os.environ)
    with s3_server() as server:
        proxy = ProxyProcess(server.endpoint, latency_s, log)
        proxy.program.start()
        os.environ.update(credentials())
        try:
            proxy.program.wait()
            yield MeasuredBucket(server, proxy)
        finally:
            proxy.program.stop()
            os.environ.clear()
            os.environ.update(former)


def _ignore(_step: str) -> None:
    pass


@dataclass
class BucketRun(EncodingRun):
    """One job from a source in a bucket to its published files there."""

    bucket: MeasuredBucket = field(kw_only=True)
    on_step: Callable[[str], None] = _ignore
    """Told the action of each step before it is performed."""

    @override
    def perform_step(self, stage: Stage, spec: StepSpec) -> TimedStep:
        self.on_step(spec.action)
        return super().perform_step(stage, spec)

    @override
    def _place(self, source: Path) -> None:
        self.bucket.place(source)


def count_steps(bucket: MeasuredBucket, run: BucketRun, source: Path) -> tuple[dict[str, Tally], dict[str, int]]:
    """Perform a job step by step, each by a function that has just started: it has nothing in its cache.

    Args:
        bucket: its media.
        run: with one step at a time.
        source: of the job.

    Returns:
        By action: what passed the proxy, and how many steps there were.
    """

    def prepare(action: str) -> None:
        bucket.proxy.label(action)
        run.restart_function()

    run.on_step = prepare
    before = bucket.proxy.tallies()
    run.encode(source)
    bucket.proxy.label("")
    steps: dict[str, int] = {}
    for step in run.steps:
        steps[step.action] = steps.get(step.action, 0) + 1
    after = bucket.proxy.tallies()
    return {action: after[action] - before.get(action, Tally()) for action in steps}, steps
