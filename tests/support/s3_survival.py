"""Jobs whose media are in a bucket, watched while something goes wrong there, and what must be true in the end."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from local.client import request_encoding
from podjobs.backends.storage import open_storage
from podjobs.contract.ports.storage import Storage
from podjobs.settings import MediaSettings
from support.media import count_frames
from support.misbehaving_pod import MisbehavingPod
from support.processes import wait_for
from support.s3_faults import PlannedFaults
from support.s3_proxy import S3Proxy
from support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from support.stack import RunningStack
from support.survival import FRAMES, JobSender, SentJob, leftovers

POD_ROOT = Path("/usr/local/pod/media")
"""Where Pod has mounted the bucket; not on this machine."""
PREFIX = "pod"


@dataclass
class FaultyBucket:
    """A bucket behind a proxy by which faults come, and the file with the credentials of whoever uses it."""

    server: S3Server
    proxy: S3Proxy
    faults: PlannedFaults
    credentials_file: Path

    @property
    def settings(self) -> dict[str, str]:
        """Of a stack whose media are there."""
        return {
            "MEDIA_ROOT": str(POD_ROOT),
            "MEDIA_URL": f"s3://{self.server.bucket}/{PREFIX}",
            "PODJOBS_S3_ENDPOINT": self.proxy.url,
            "PODJOBS_S3_TIMEOUT_S": "3",
            "PODJOBS_S3_ATTEMPTS": "3",
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials_file),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def write_credentials(self, key: str = ACCESS_KEY, secret: str = SECRET_KEY) -> None:
        """Replace the file, as a secret that is mounted into a container is replaced."""
        beside = self.credentials_file.with_suffix(".new")
        beside.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
        beside.replace(self.credentials_file)

    def open(self) -> Storage:
        """The media as Pod sees them: past the proxy, and with the right credentials, which the environment has."""
        return open_storage(
            MediaSettings(
                media_root=str(POD_ROOT),
                media_url=f"s3://{self.server.bucket}/{PREFIX}",
                podjobs_s3_endpoint=self.server.endpoint,
            )
        )

    def keys(self, folder: str = "") -> set[str]:
        """What is in a folder, by the names below it."""
        begin = f"{PREFIX}/{folder}"
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=self.server.bucket, Prefix=begin)
        return {one["Key"].removeprefix(begin) for page in pages for one in page.get("Contents", ())}

    def uploads(self) -> list[str]:
        """The keys of uploads in parts that have not ended."""
        found = self.server.client().list_multipart_uploads(Bucket=self.server.bucket)
        return [str(one["Key"]) for one in found.get("Uploads", ())]


class BucketSender(JobSender):
    """Puts jobs on a stack's queue, each with a video of its own in a bucket."""

    def __init__(self, stack: RunningStack, pod: MisbehavingPod, bucket: FaultyBucket) -> None:
        super().__init__(stack, pod)
        self.bucket = bucket

    @override
    def _upload(self, source: Path | bytes | None, folder: str, name: str) -> Path:
        content = source.read_bytes() if isinstance(source, Path) else source
        if content is not None:
            key = f"{PREFIX}/{folder}/{name}"
            self.bucket.server.client().put_object(Bucket=self.bucket.server.bucket, Key=key, Body=content)
        return Path(folder)

    def submit_again(self, job: "BucketJob") -> "BucketJob":
        """Ask for another encode of the same video."""
        path = str(POD_ROOT / job.output.parent / "talk.mp4")
        return self.job(request_encoding(self.stack.broker_url, job.video_id, path), job.video_id, job.output)

    @override
    def job(self, job_id: str, video_id: int, output: Path) -> "BucketJob":
        return BucketJob(self.stack, self.pod, job_id, video_id, output, self.bucket)


@dataclass
class BucketJob(SentJob):
    """A job on its way; its output is a key."""

    bucket: FaultyBucket

    def published(self) -> set[str]:
        """The names of the files in its output folder."""
        return self.bucket.keys(f"{self.output}/")

    def read(self, name: str) -> bytes:
        """The content of one of them."""
        answer = self.bucket.server.client().get_object(
            Bucket=self.bucket.server.bucket, Key=f"{PREFIX}/{self.output}/{name}"
        )
        return bytes(answer["Body"].read())

    @override
    def info(self) -> dict[str, Any]:
        return dict(json.loads(self.read("info_video.json")))


def check_done(job: BucketJob, frames: int = FRAMES) -> None:
    """The job ended well, in every respect, and Pod took it over once."""
    progress = job.wait_end(180)
    assert (progress.state, progress.error) == ("done", ""), job.stack.log()
    check_whole(job, frames)
    (imported,) = [call.imported for call in job.calls() if call.imported]
    assert imported.missing == ()
    check_nothing_left(job)


def check_whole(job: BucketJob, frames: int = FRAMES) -> None:
    """All of this job's files are there, and whole."""
    info = job.info()
    assert info["job_id"] == job.id
    assert list(info["list_hls_files"]) == ["180", "360"]
    with tempfile.TemporaryDirectory() as folder:
        for made in ("180p.mp4", "180p.ts", "360p.ts"):
            copy = Path(folder) / made
            copy.write_bytes(job.read(made))
            assert count_frames(copy) == frames


def check_nothing_left(job: BucketJob, timeout_s: float = 30) -> None:
    """No work files, no unfinished uploads, no steps, no messages."""
    wait_for(lambda: not list(_left(job)), timeout_s, lambda: str(list(_left(job))))


def _left(job: BucketJob) -> Iterator[str]:
    yield from leftovers(job.stack)
    yield from (f"work/{key}" for key in job.bucket.keys("work/"))
    yield from (f"an upload of {key}" for key in job.bucket.uploads())
