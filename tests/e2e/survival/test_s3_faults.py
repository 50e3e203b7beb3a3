"""What goes wrong around a job whose media are in a bucket: the server, the network, the credentials, the room.

Nothing is lost, nothing is published by halves, nothing is left, and no secret is written anywhere.
"""

import random
import time

import pytest

from support import s3_faults
from support.canaries import CommandWatch, bucket_content, files_below, find_leaks, redis_content
from support.misbehaving_pod import TOKEN, running_pod
from support.s3_faults import Moment, PlannedFaults, stall
from support.s3_proxy import S3Proxy, serving_proxy
from support.s3_requests import WRITES, Kind
from support.s3_server import SECRET_KEY, s3_server
from support.s3_survival import POD_ROOT, BucketSender, FaultyBucket, check_done, check_nothing_left
from support.stack import shared_stack
from support.survival import SETTINGS

ALL = frozenset(Kind)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bucket")
    faults = PlannedFaults()
    with s3_server() as server, serving_proxy(S3Proxy(server.endpoint, faults=faults)) as proxy:
        pods_own = FaultyBucket(server, proxy, faults, folder / "pod")
        pods_own.write_credentials()
        made = FaultyBucket(server, proxy, faults, folder / "functions")
        made.write_credentials()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(pods_own.credentials_file))
            yield made


@pytest.fixture(scope="module")
def commands():
    with CommandWatch() as watch:
        yield watch


@pytest.fixture(scope="module")
def pod(bucket):
    with running_pod(POD_ROOT, bucket.open()) as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory, pod, bucket, commands):
    settings = SETTINGS | pod.settings | bucket.settings
    with shared_stack(tmp_path_factory.mktemp("stacks") / "state", settings) as running:
        yield running


@pytest.fixture
def sender(stack, pod, bucket):
    stack.wait_until(stack.takes_messages)
    yield BucketSender(stack, pod, bucket)
    bucket.faults.heal()
    bucket.write_credentials()


def slow(*values):
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow) for value in values
    ]


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        *slow(
            (s3_faults.SLOW_DOWN, 20),
            (s3_faults.INTERNAL, 20),
            (s3_faults.INTERNAL_IN_UPLOAD, 10),
            (s3_faults.ERROR_IN_200, 10),
            (s3_faults.BAD_GATEWAY, 20),
            (s3_faults.CUT, 20),
            (s3_faults.CUT_IN_UPLOAD, 10),
            (s3_faults.CUT_IN_DOWNLOAD, 10),
            (s3_faults.LOST, 20),
            (stall(4), 6),
            (stall(4, Moment.IN_DOWNLOAD), 6),
        ),
    ],
    ids=lambda value: getattr(value, "name", None) and f"{value.name} {value.moment.name}",
)
def test_bad_moments_of_the_server_are_overcome(sender, bucket, video, fault, times):
    bucket.faults.add(fault, times=times / 2)
    job = sender.submit(video)
    job.wait_until("encode", 0.2)
    bucket.faults.add(fault, times=times / 2)
    check_done(job)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kinds", "said"),
    [
        (s3_faults.EXPIRED_TOKEN, ALL, "does not accept the credentials (ExpiredToken"),
        (s3_faults.ACCESS_DENIED, ALL, "does not permit it"),
        (s3_faults.TIME_SKEWED, ALL, "the clocks of this machine and of bucket"),
        (s3_faults.NO_BUCKET, ALL, "here is no bucket"),
        (s3_faults.QUOTA, WRITES, "is full, or its quota is used up"),
        (s3_faults.MINIO_QUOTA, WRITES, "is full, or its quota is used up"),
        (s3_faults.MINIO_FULL, WRITES, "is full, or its quota is used up"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize("stage", ["encode", "package"])
def test_what_an_operator_must_mend_keeps_the_job_and_is_said(sender, bucket, video, fault, kinds, said, stage):
    job = sender.submit(video)
    job.wait_until(stage)
    bucket.faults.add(fault, kinds=kinds)
    progress = job.wait_for(lambda progress: progress.ended or said in progress.trouble)
    assert not progress.ended, progress
    assert "info_video.json" not in job.published()
    bucket.faults.heal()
    check_done(job)


@pytest.mark.slow
def test_credentials_that_are_replaced_while_it_runs_are_read_again(sender, bucket, video):
    """Those that the function has are refused; then those in the file, really; then the file has the right ones."""
    job = sender.submit(video)
    job.wait_until("encode", 0.2)
    bucket.faults.add(s3_faults.INVALID_KEY)
    bucket.write_credentials(key="former", secret="gone")  # noqa: S106 - no secret
    job.wait_for(lambda progress: "does not accept the credentials (InvalidAccessKeyId" in progress.trouble)
    bucket.faults.heal()
    time.sleep(1)
    assert "info_video.json" not in job.published()
    bucket.write_credentials()
    check_done(job)


@pytest.mark.slow
def test_server_that_is_killed_and_comes_back_is_waited_for(sender, bucket, video):
    job = sender.submit(video)
    job.wait_until("encode", 0.2)
    bucket.server.kill()
    progress = job.wait_for(lambda progress: progress.ended or "does not answer" in progress.trouble)
    assert not progress.ended, progress
    bucket.server.start()
    check_done(job)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_function_killed_at_any_moment_job_ends_well(stack, sender, bucket, video, seed):
    chance = random.Random(seed)
    bucket.proxy.latency_s = 0.02
    job = sender.submit(video)
    job.wait_until("plan")
    try:
        for _ in range(4):
            time.sleep(chance.uniform(0.2, 3))
            stack.kill("encoding")
    finally:
        bucket.proxy.latency_s = 0.0
    check_done(job)


@pytest.mark.slow
def test_job_that_is_superseded_while_the_server_is_slow_leaves_nothing(stack, sender, bucket, video):
    job = sender.submit(video)
    job.wait_until("encode", 0.1)
    bucket.faults.add(s3_faults.LOST, times=10)
    newer = sender.submit_again(job)
    assert job.wait_end().state == "superseded"
    check_done(newer)


def test_source_that_no_ffmpeg_reads_fails_with_words_and_leaves_nothing(sender):
    job = sender.submit(b"Not a video.\n" * 50, "text.mp4")
    progress = job.wait_end()
    assert progress.state == "failed"
    assert "not a media file that can be read" in progress.error
    check_nothing_left(job)


@pytest.mark.slow
def test_no_secret_is_written_anywhere(stack, pod, sender, bucket, commands, video):
    """Also while requests are refused, and whatever the tests before have done."""
    job = sender.submit(video)
    job.wait_until("encode", 0.2)
    bucket.faults.add(s3_faults.WRONG_SIGNATURE, times=2)
    bucket.faults.add(s3_faults.CUT_IN_DOWNLOAD, times=2)
    check_done(job)
    secrets = {"the secret key": SECRET_KEY, "Pod's token": TOKEN}
    secrets |= {f"a password of a gateway ({number})": one for number, one in enumerate(commands.passwords)}
    assert commands.passwords
    assert len(bucket.proxy.signatures) > 100
    places = [
        # the environments of the programs are where secrets are kept
        *files_below(stack.state_dir, {"environments"}),
        (str(stack.stderr), stack.stderr.read_bytes()),
        (str(stack.stdout), stack.stdout.read_bytes()),
        *redis_content(stack.redis()),
        *bucket_content(bucket.server.client(), bucket.server.bucket),
        *commands.places(),
        ("calls of Pod", repr(pod.calls).encode()),
        ("the job", repr((job.progress(), stack.redis().hgetall(f"{{podjobs}}:job:{job.id}"))).encode()),
    ]
    assert find_leaks(places, secrets, bucket.proxy.signatures) == []
