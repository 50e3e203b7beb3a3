"""Law 1 on object storage: whatever the server does by chance, and whenever a function is killed, each job ends whole.

The real encoding function on a real S3 server, behind a proxy by which a share of all requests goes wrong. Every video
is encoded several times over the same place; whoever reads it meanwhile never sees half of anything.
"""

import json
import random
import subprocess
from collections import Counter

import pytest

from local.pod import LISTS
from podjobs.contract.errors import NotNowError, RetryableError
from podjobs.testing import JobRun
from support import s3_faults
from support.canaries import bucket_content, files_below, find_leaks
from support.jobs import encoding_job
from support.media import count_frames, make_video
from support.s3_faults import Moment, SeededFaults, stall
from support.s3_proxy import S3Proxy, serving_proxy
from support.s3_server import SECRET_KEY, credentials, s3_server
from support.step_worker import StepWorker

JOBS = 4
VIDEOS = 2
FRAMES = 8 * 25
POD_ROOT, PREFIX = "/usr/local/pod/media", "pod"
MOST_ATTEMPTS = 60
"""Of a step. Most of them do not count, as the server was at fault, and the adapter would wait in between."""
KILLED = 0.4
"""The share of attempts that are to be killed; some are done before."""
SHARES = {  # of all requests; a plan makes some seventy, and what it has read is kept from one attempt to the next
    s3_faults.SLOW_DOWN: 0.005,
    s3_faults.INTERNAL: 0.01,
    s3_faults.INTERNAL_IN_UPLOAD: 0.015,
    s3_faults.ERROR_IN_200: 0.015,
    s3_faults.BAD_GATEWAY: 0.01,
    s3_faults.CUT: 0.01,
    s3_faults.CUT_IN_UPLOAD: 0.015,
    s3_faults.CUT_IN_DOWNLOAD: 0.02,
    s3_faults.LOST: 0.02,
    s3_faults.CONFLICT: 0.005,
    s3_faults.EXPIRED_TOKEN: 0.0025,
    s3_faults.INVALID_KEY: 0.0025,
    s3_faults.TIME_SKEWED: 0.0025,
    s3_faults.NO_SPACE: 0.0025,
    stall(2): 0.0025,
    stall(2, Moment.IN_DOWNLOAD): 0.0025,
}
LADDER = [
    {"resolution": "320x180", "maxrate": "8000k", "audio_bitrate": "96k", "encode_mp4": True},
    {"resolution": "640x360", "maxrate": "12000k", "audio_bitrate": "96k", "encode_mp4": True},
]
"""Much for the size of the pictures: so that files are uploaded in parts."""


class S3Campaign:
    """Jobs, one after another, whose storage is faulty."""

    def __init__(self, folder, seed, server, proxy, faults):
        self.chance = random.Random(f"{seed} jobs")
        self.server, self.proxy, self.faults = server, proxy, faults
        self.client = server.client()
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        settings = credentials() | {
            "MEDIA_ROOT": POD_ROOT,
            "MEDIA_URL": f"s3://{server.bucket}/{PREFIX}",
            "PODJOBS_S3_ENDPOINT": proxy.url,
            "PODJOBS_S3_ATTEMPTS": "2",
            "PODJOBS_S3_TIMEOUT_S": "1",
            "PODJOBS_S3_PART_MB": "5",
            "PODJOBS_SCRATCH": str(self.scratch),
            "PODJOBS_CHUNK_MIN_S": "4",
            "VIDEO_RENDITIONS": json.dumps(LADDER),
            "FFMPEG_PRESET": "ultrafast",
            "FFMPEG_CRF": "8",
        }
        self.log = folder / "functions.log"
        self.worker = StepWorker(settings, self.log)
        self.outcomes = Counter()

    def encode(self, number):
        """Perform a job, each step again and again until it succeeds."""
        video = number % VIDEOS
        path = f"{POD_ROOT}/videos/user{video}/talk.mp4"
        job = encoding_job(f"job-{number}", video + 1, path, pod_root=POD_ROOT)
        run = JobRun(job, {"encoding": self})
        for stage in run.stages():
            for spec in stage.steps:
                self.perform(run, spec)
        return job

    def perform(self, run, spec):
        said = []
        for _ in range(MOST_ATTEMPTS):
            try:
                return run.perform_step(spec)
            except (NotNowError, RetryableError) as error:
                self.outcomes[type(error).__name__] += 1
                said.append(str(error))
                self.check_readable()
        return pytest.fail("\n".join([f"{spec.id} did not succeed in {MOST_ATTEMPTS} attempts:", *said]))

    def handle(self, step):
        """Perform a step in the process, which may be killed meanwhile."""
        is_killed = self.chance.random() < KILLED and not self.faults.healthy
        kill_after_s = self.chance.uniform(0.2, 2) if is_killed else None
        return self.worker.handle(step, kill_after_s=kill_after_s)

    def keys(self, folder=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.server.bucket, Prefix=f"{PREFIX}/{folder}"
        )
        return {one["Key"].removeprefix(f"{PREFIX}/") for page in pages for one in page.get("Contents", ())}

    def read(self, key):
        return self.client.get_object(Bucket=self.server.bucket, Key=f"{PREFIX}/{key}")["Body"].read()

    def check_readable(self):
        """Whatever a list names is there: Pod may read it at any time."""
        keys = self.keys("videos/")
        for info_key in (key for key in keys if key.endswith("/info_video.json")):
            info = json.loads(self.read(info_key))
            listed = {path.removeprefix(f"{POD_ROOT}/") for name in LISTS for path in info[name].values()}
            assert listed, info
            assert listed <= keys, f"{info_key} names what is not there: {listed - keys}"

    def check_done(self, job, folder):
        self.check_readable()
        assert json.loads(self.read(f"{job.output_folder}/info_video.json"))["job_id"] == job.id
        for name in ("180p.mp4", "180p.ts", "360p.mp4", "360p.ts"):
            copy = folder / name
            copy.write_bytes(self.read(f"{job.output_folder}/{name}"))
            assert count_frames(copy) == FRAMES, (job.id, name)
            subprocess.run(["ffmpeg", "-v", "error", "-xerror", "-i", copy, "-f", "null", "-"], check=True)
        left = self.keys("work/")
        uploads = self.client.list_multipart_uploads(Bucket=self.server.bucket).get("Uploads", [])
        assert (left, uploads) == (set(), [])


@pytest.mark.slow
@pytest.mark.timeout(0)  # it is as long as it is asked to be; each step in it has a limit
def test_campaign_on_a_faulty_server_every_job_ends_whole(tmp_path, seed, events):
    faults = SeededFaults(seed, SHARES)
    source = make_video(tmp_path / "talk.mp4", "-g", "50", duration_s=8, video_filter="noise=alls=50:allf=t")
    with s3_server() as server, serving_proxy(S3Proxy(server.endpoint, faults=faults)) as proxy:
        campaign = S3Campaign(tmp_path, seed, server, proxy, faults)
        for video in range(VIDEOS):
            server.client().upload_file(str(source), server.bucket, f"{PREFIX}/videos/user{video}/talk.mp4")
        try:
            for number in range(events or JOBS):
                campaign.check_done(campaign.encode(number), tmp_path)
            faults.healthy = True
            campaign.check_done(campaign.encode(events or JOBS), tmp_path)
            left = [path for path in campaign.scratch.rglob("*") if path.is_file()]
            assert left == [], "what killed functions leave is removed by the next ones"
            places = [*files_below(tmp_path), *bucket_content(server.client(), server.bucket)]
            assert find_leaks(places, {"the secret key": SECRET_KEY}, proxy.signatures) == []
            assert proxy.total.requests["part"] > 0
        finally:
            campaign.worker.stop()
            print(f"--seed {seed}: {dict(faults.counts)}; {campaign.worker.kills} kills; {dict(campaign.outcomes)}")  # noqa: T201
            print(dict(proxy.total.requests))  # noqa: T201
