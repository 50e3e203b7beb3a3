"""Law 1 with Lambda's handlers, on both storages: whatever is killed, throttled or slow, each video is encoded whole.

`scripts/up` with the delivery `lambda`: real functions in real runtime emulators, videos one after another, and harm by
chance meanwhile. (test_kills.py does more harm, to functions that touch no media.)
"""

import contextlib
import random
import time
from collections import Counter

import boto3
import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.stack import running_environment
from support import s3_survival, survival
from support.lambda_service import MISSING
from support.media import make_video
from support.misbehaving_pod import running_pod
from support.s3_faults import PlannedFaults
from support.s3_proxy import S3Proxy, serving_proxy
from support.s3_server import s3_server
from support.s3_survival import POD_ROOT, BucketSender, FaultyBucket
from support.stack import shared_stack

EVENTS = 15
AT_ONCE = 2
"""Videos on their way at any time."""
HARMS = {
    "kill_environments": 5,
    "kill_environment": 10,
    "kill_service": 4,
    "kill_adapter": 5,
    "kill_programs": 1,
    "pause_environment": 4,
    "throttle": 5,
}
"""What happens, and how often."""
SETTINGS = survival.SETTINGS | {
    "PODJOBS_DELIVERY": "lambda",
    "PODJOBS_RETRY_LIMIT_ENCODING": "100",
    "FFMPEG_PRESET": "veryfast",
}


class LambdaCampaign:
    """Videos, and harm to whoever encodes them."""

    def __init__(self, seed, stack, sender, video):
        self.chance = random.Random(f"{seed} lambda")
        self.stack, self.sender, self.video = stack, sender, video
        self.jobs = []
        self.counts = Counter()

    def play(self, events):
        for _ in range(events):
            self.stack.wait_until(self.stack.takes_messages, 60)
            if sum(not self.has_ended(job) for job in self.jobs) < AT_ONCE:
                self.jobs.append(self.sender.submit(self.video))
            kind = self.chance.choices(list(HARMS), list(HARMS.values()))[0]
            self.counts[kind] += 1
            getattr(self, kind)()
            time.sleep(self.chance.uniform(0.5, 4))

    @staticmethod
    def has_ended(job):
        progress = job.progress()
        return progress is not None and progress.ended

    def environments(self):
        return [one for one in self.stack.find("environment") if "aws-lambda-rie" not in " ".join(one.cmdline())]

    def kill_environments(self):
        self.stack.kill("environment")

    def kill_environment(self):
        self.harm_one(lambda process: process.kill())

    def kill_service(self):
        self.stack.kill("lambda")

    def kill_adapter(self):
        self.stack.kill("adapter")

    def kill_programs(self):
        self.stack.kill_programs()

    def pause_environment(self):
        def pause(process):
            process.suspend()
            time.sleep(self.chance.uniform(0.5, 3))
            process.resume()

        self.harm_one(pause)

    def harm_one(self, harm):
        with contextlib.suppress(psutil.Error):
            if found := self.environments():
                harm(self.chance.choice(found))

    def throttle(self):
        """No environment may work for a while; what is at work goes on."""
        name = self.chance.choice(("encoding", "encoding", "notification"))
        with contextlib.suppress(ClientError, BotoCoreError):
            self.client().put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
            time.sleep(self.chance.uniform(0.5, 3))
            self.client().delete_function_concurrency(FunctionName=name)

    def client(self):
        given = running_environment(self.stack.state_dir, "adapter")
        return boto3.client(
            "lambda",
            endpoint_url=given["AWS_ENDPOINT_URL_LAMBDA"],
            region_name=given["AWS_REGION"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        )

    def unthrottle(self):
        """A client that failed in the middle may have left it so."""
        for name in ("encoding", "notification"):
            self.client().delete_function_concurrency(FunctionName=name)


@contextlib.contextmanager
def on_files(folder):
    with running_pod(folder / "media") as pod, shared_stack(folder / "state", SETTINGS | pod.settings) as stack:
        yield stack, survival.JobSender(stack, pod), survival.check_done


@contextlib.contextmanager
def on_s3(folder):
    faults = PlannedFaults()
    with s3_server() as server, serving_proxy(S3Proxy(server.endpoint, faults=faults)) as proxy:
        bucket = FaultyBucket(server, proxy, faults, folder / "credentials")
        bucket.write_credentials()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(bucket.credentials_file))
            settings = SETTINGS | bucket.settings
            with (
                running_pod(POD_ROOT, bucket.open()) as pod,
                shared_stack(folder / "state", settings | pod.settings) as stack,
            ):
                yield stack, BucketSender(stack, pod, bucket), s3_survival.check_done


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.timeout(0)  # it is as long as it is asked to be; each wait in it has a limit
@pytest.mark.parametrize("storage", [on_files, on_s3])
def test_campaign_with_lambda_every_video_is_encoded_whole(tmp_path, seed, events, storage):
    video = make_video(tmp_path / "talk.mp4", "-g", "50", duration_s=survival.VIDEO_S)
    with storage(tmp_path) as (stack, sender, check_done):
        campaign = LambdaCampaign(seed, stack, sender, video)
        began = time.monotonic()
        try:
            campaign.play(events or EVENTS)
            stack.wait_until(stack.takes_messages, 60)
            stack.wait_until(lambda: answers(campaign), 60)
            for job in campaign.jobs:
                check_done(job)
        finally:
            took_s = time.monotonic() - began
            print(f"--seed {seed}: {len(campaign.jobs)} videos in {took_s:.0f} s, {dict(campaign.counts)}")  # noqa: T201


def answers(campaign):
    try:
        campaign.unthrottle()
    except (ClientError, BotoCoreError):
        return False
    return True
