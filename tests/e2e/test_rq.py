"""`scripts/up` and `scripts/run` with their functions as RQ workers: what holds over HTTP holds there, too."""

import os
import subprocess
import uuid

import pytest

from support.processes import REPOSITORY
from support.stack import MARK, STOP_TIMEOUT_S, command_line

pytestmark = pytest.mark.slow

HORSE = "podjobs.entry.rq.horse_process"
SLOW = {"FFMPEG_PRESET": "slow"}


@pytest.fixture
def rq_stack(make_stack):
    def make(**settings):
        return make_stack(PODJOBS_DELIVERY="rq", **settings)

    return make


@pytest.fixture
def long_clip(make_clip):
    return make_clip("long.mp4", seconds=20, size="1280x720")


def is_encoding(stack):
    """Whether a chunk is being encoded, not just looked at."""
    return any("-x264-params" in command_line(process) for process in stack.find("ffmpeg"))


def test_run_delivery_rq_does_the_main_job(make_clip, tmp_path):
    environment = {**os.environ, "FFMPEG_PRESET": "ultrafast", MARK: uuid.uuid4().hex, "COLUMNS": "160"}
    argv = [REPOSITORY / "scripts" / "run", "--delivery", "rq", "--no-open", make_clip("clip.mp4")]

    result = subprocess.run(
        argv, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
    for made in ("360p.mp4", "360p.ts", "livestream.m3u8", "audio_192k.mp3", "info_video.json"):
        assert made in result.stdout
    assert '"delivery": "rq"' in (tmp_path / "demo" / "clip" / "stack" / "stack.json").read_text()


def test_up_with_rq_workers_takes_a_job_tells_pod_once_and_leaves_no_process(rq_stack, pod, clip):
    stack = rq_stack(**pod.settings).start()
    end = stack.wait(stack.send(clip, video_id=7))

    assert end.state == "done", end.error
    assert [call.status for call in pod.calls_about(7)] == [200]
    status, took_s = stack.stop()
    assert status == 0, stack.log()
    assert took_s < STOP_TIMEOUT_S
    assert stack.processes() == []


def test_up_with_rq_workers_stops_in_time_while_it_encodes_and_goes_on_after_the_next_start(rq_stack, pod, long_clip):
    stack = rq_stack(**SLOW, **pod.settings).start()
    job_id = stack.send(long_clip)
    stack.wait_until(lambda: is_encoding(stack))

    status, took_s = stack.stop()

    assert status == 0, stack.log()
    assert took_s < STOP_TIMEOUT_S
    assert stack.processes() == []
    stack.environment["FFMPEG_PRESET"] = "ultrafast"
    stack.start()
    assert stack.wait(job_id).state == "done"
    assert len(pod.calls_about(1)) == 1


@pytest.mark.parametrize("program", ["encoding", "adapter", "supervisord", "redis"])
def test_up_with_rq_workers_program_killed_in_mid_job_comes_back_and_the_job_ends(rq_stack, pod, long_clip, program):
    stack = rq_stack(**pod.settings).start()
    job_id = stack.send(long_clip)
    stack.wait_until(lambda: is_encoding(stack))

    assert stack.kill(program) > 0

    end = stack.wait(job_id, timeout_s=150)
    assert end.state == "done", stack.log()
    assert len(pod.calls_about(1)) == 1


def test_up_with_rq_workers_superseded_job_is_stopped_at_its_worker(rq_stack, long_clip, clip):
    stack = rq_stack(**SLOW, PODJOBS_CONCURRENCY_ENCODING="1").start()
    stack.send(long_clip)
    stack.wait_until(lambda: is_encoding(stack))
    (old,) = (process for process in stack.find("ffmpeg") if "-x264-params" in command_line(process))

    newer = stack.send(long_clip, cut=(0, 2))

    stack.wait_until(lambda: not old.is_running(), timeout_s=5)
    assert stack.wait(newer).state == "done", stack.log()


def test_up_with_rq_workers_secrets_reach_the_programs_that_use_them_and_no_horse_knows_redis(rq_stack):
    token = "d0n0tshow"  # noqa: S105 - made up
    stack = rq_stack(POD_API_TOKEN=token).start()
    stack.wait_until(lambda: any(HORSE in command_line(process) for process in stack.find("encoding")))
    everybody = {process.pid: (command_line(process), process.environ()) for process in stack.processes()}
    knowing = [line for line, environment in everybody.values() if token in environment.values()]
    # whoever started the stack has all settings
    others = [line for line in knowing if "-m local up" not in line]
    assert others
    assert all("notification" in line or "local.pod" in line for line in others), others
    horses = [environment for line, environment in everybody.values() if HORSE in line]
    assert not [name for environment in horses for name, value in environment.items() if value.startswith("redis://")]
    assert not [line for line, _ in everybody.values() if token in line]
    assert token not in stack.log()
