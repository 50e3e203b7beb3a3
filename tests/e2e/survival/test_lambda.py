"""Everything by Lambda's handlers, in real runtime emulators, with the media in a bucket: killed, and out of time."""

import pytest

from podjobs.contract.job_states import JobState
from support.captions import text_of
from support.lambda_service import MISSING
from support.lrs import LOGIN, PASSWORD
from support.media import make_video
from support.misbehaving_pod import TRANSCRIBED, running_pod
from support.real_lrs import Ralph
from support.s3_faults import PlannedFaults
from support.s3_proxy import S3Proxy, serving_proxy
from support.s3_server import s3_server
from support.s3_survival import POD_ROOT, BucketSender, FaultyBucket, check_done, check_nothing_left
from support.speech import LECTURE, WER, error_rate, join, speak
from support.stack import MARK, shared_stack
from support.statements import message_of, new_statement
from support.survival import SETTINGS
from support.transcriber import MODEL

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

STATEMENTS = 60
LAMBDA = SETTINGS | {
    "PODJOBS_DELIVERY": "lambda",
    "TRANSCRIPTION_MODEL_PARAM": f'{{"WHISPER": {{"en": {{"model": "{MODEL}"}}}}}}',
    "PODJOBS_PART_MIN_S": "8",
    "PODJOBS_PART_MAX_S": "10",
    "PODJOBS_CONCURRENCY_TRANSCRIPTION": "1",
    "XAPI_LRS_LOGIN": LOGIN,
    "XAPI_LRS_PWD": PASSWORD,
    "PODJOBS_XAPI_BATCH_STATEMENTS": "5",
}
TIMEOUT_S = 4


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bucket")
    faults = PlannedFaults()
    with s3_server() as server, serving_proxy(S3Proxy(server.endpoint, faults=faults)) as proxy:
        made = FaultyBucket(server, proxy, faults, folder / "credentials")
        made.write_credentials()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(made.credentials_file))
            yield made


@pytest.fixture(scope="module")
def pod(bucket):
    with running_pod(POD_ROOT, bucket.open()) as running:
        yield running


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    ralph = Ralph(tmp_path_factory.mktemp("lrs"))
    yield ralph.start()
    ralph.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory, pod, bucket, lrs):
    settings = LAMBDA | pod.settings | bucket.settings | {"XAPI_LRS_URL": lrs.url}
    with shared_stack(tmp_path_factory.mktemp("stacks") / "state", settings) as running:
        yield running


@pytest.fixture
def sender(stack, pod, bucket):
    stack.wait_until(stack.takes_messages)
    return BucketSender(stack, pod, bucket)


@pytest.fixture(scope="session")
def talk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talk")
    pause = ("anullsrc=r=16000:cl=mono", 0.7)
    spoken = [speak(folder / f"{number}.wav", text) for number, text in enumerate(LECTURE)]
    return join(folder / "audio_192k.mp3", *(piece for sentence in spoken for piece in (sentence, pause)))


def test_lambda_encodes_a_video_in_a_bucket_and_tells_pod_once(sender, video):
    check_done(sender.submit(video))


@pytest.mark.parametrize("victim", ["environment", "lambda", "adapter"])
def test_lambda_victim_killed_while_chunks_are_encoded_job_ends_well(stack, sender, video, victim):
    job = sender.submit(video)
    job.wait_until("encode", 0.01)
    assert stack.kill(victim) > 0
    check_done(job)


@pytest.mark.parametrize("victim", ["environment", "lambda", "adapter"])
def test_lambda_victim_killed_while_a_talk_is_transcribed_captions_reach_pod_once(stack, sender, talk, victim):
    job = sender.transcribe(talk)
    job.wait_until("transcribe", 0.01)
    assert stack.kill(victim) > 0
    progress = job.wait_end(240)
    assert (progress.state, progress.error) == ("done", ""), stack.log()
    (taken,) = [call for call in job.calls(TRANSCRIBED) if call.status == 200]
    assert error_rate(" ".join(LECTURE), text_of(taken.imported.text)) < WER
    check_nothing_left(job)


@pytest.mark.parametrize("victim", ["environment", "lambda", "adapter"])
def test_lambda_victim_killed_while_statements_are_delivered_each_is_in_the_lrs_once(stack, lrs, victim):
    stack.wait_until(stack.takes_messages)
    known = {one["id"] for one in lrs.statements()}
    statements = [new_statement(number, seed=len(victim)) for number in range(STATEMENTS)]
    wanted = {one["id"] for one in statements}
    with stack.redis() as client:
        client.lpush("xapi", *(message_of(one, one["id"]) for one in statements))
    stack.wait_until(lambda: len(lrs.statements()) > len(known))
    stack.kill(victim)
    stack.wait_until(lambda: wanted <= {one["id"] for one in lrs.statements()}, 60)
    ids = [one["id"] for one in lrs.statements()]
    assert len(ids) == len(set(ids)) == len(known) + STATEMENTS


def test_lambda_secrets_reach_the_programs_that_use_them(stack, sender, pod, video):
    check_done(sender.submit(video))  # so that all who take part are there
    token = pod.settings["POD_API_TOKEN"]
    knowing = {}
    for process in stack.processes():
        environment = process.environ()
        if any(token in value for value in environment.values()) and environment.get(MARK) == stack.mark:
            line = " ".join(process.cmdline())
            knowing[line] = environment.get("AWS_LAMBDA_FUNCTION_NAME", "")
    runners = ("-m local up", "-m local.lambda_service")
    assert {name for line, name in knowing.items() if not any(one in line for one in runners)} == {"notification"}
    assert token not in stack.log()


def test_lambda_time_out_shorter_than_a_step_is_said_retried_and_counted_and_pod_is_told(bucket, pod, tmp_path_factory):
    folder = tmp_path_factory.mktemp("late")
    video = make_video(folder / "long.mp4", "-s", "1920x1080", duration_s=16)
    settings = LAMBDA | pod.settings | bucket.settings
    settings |= {"LAMBDA_TIMEOUT_S": str(TIMEOUT_S), "FFMPEG_PRESET": "veryslow", "PODJOBS_CHUNK_MIN_S": "16"}
    settings |= {"PODJOBS_RETRY_LIMIT_ENCODING": "2"}
    with shared_stack(folder / "state", settings) as stack:
        job = BucketSender(stack, pod, bucket).submit(video)
        progress = job.wait_end(180)
        assert progress.state == JobState.FAILED, stack.log()
        assert f"timed out after {TIMEOUT_S}" in progress.error.lower(), progress.error
        assert [call.status for call in job.calls()].count(200) == 1
        assert stack.find("ffmpeg") == []
        check_nothing_left(job)
