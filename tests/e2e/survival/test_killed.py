"""Law 1: kill any process at any moment; every accepted job ends well, once, and Pod is notified."""

import random
import threading
import time

import pytest

from support.survival import check_done, check_nothing_left

MOMENTS = [("plan", 0), ("encode", 0.01), ("encode", 0.5), ("package", 0), ("publish", 0), ("notify", 0)]


def name_of(moment):
    return f"{moment[0]}-{moment[1]}"


def at(*usual):
    """All moments, of which those are for every run, the others for the long one."""
    return [moment if moment in usual else pytest.param(moment, marks=pytest.mark.slow) for moment in MOMENTS]


@pytest.mark.parametrize("moment", at(("encode", 0.5), ("notify", 0)), ids=name_of)
@pytest.mark.parametrize("part", ["adapter", pytest.param("redis", marks=pytest.mark.slow)])
def test_kill_part_job_ends_well(stack, sender, video, part, moment):
    job = sender.submit(video)
    job.wait_until(*moment)
    stack.kill(part)
    check_done(job)


@pytest.mark.parametrize("moment", at(("encode", 0.5))[:-1], ids=name_of)
def test_kill_encoding_function_job_ends_well(stack, sender, video, moment):
    """Its ffmpeg dies with it and leaves nothing behind."""
    job = sender.submit(video)
    job.wait_until(*moment)
    stack.kill("encoding")
    check_done(job)


def test_kill_notification_function_pod_is_notified_once(stack, sender, video):
    job = sender.submit(video)
    job.wait_until("publish")
    stack.kill("notification")
    check_done(job)


@pytest.mark.parametrize("moment", at(("encode", 0.5)), ids=name_of)
def test_kill_everything_job_ends_well(stack, sender, video, moment):
    """Redis, functions, adapter, their ffmpeg and supervisord itself."""
    job = sender.submit(video)
    job.wait_until(*moment)
    stack.kill_programs()
    check_done(job)


def test_kill_while_messages_come_in_none_is_lost(stack, sender, video):
    """The door is killed again and again while Pod sends; bad messages do not block good ones."""
    jobs, ended = [], threading.Event()

    def send():
        for _ in range(20):
            jobs.append(sender.submit(b"no video"))
            time.sleep(0.1)
        ended.set()

    thread = threading.Thread(target=send)
    thread.start()
    chance = random.Random(7)
    while not ended.is_set():
        time.sleep(chance.uniform(0.2, 0.6))
        if stack.find("adapter"):
            stack.kill("adapter")
    thread.join()
    for job in jobs:
        assert job.wait_end().state == "failed"
        assert [call.status for call in job.calls()].count(200) == 1
    check_nothing_left(stack)
