"""What Pod 5 needs of the runner API: column V5 of docs/contract-pod-runner.md, row by row."""

import json
import time

import pytest

from adapter.redis import keys
from support.processes import wait_for
from support.runner_pod import Misfortune
from support.runner_stack import TOKENS, upload, wait_until_ended
from support.runner_work import HASTE


@pytest.fixture(scope="module")
def ended(stack, numbers):
    """A video of a Pod 5 that was imported, and its task, only to be looked at."""
    five, number = stack.five, next(numbers)
    video = five.add_video(number, upload(five, number))
    task_id = five.request(video)
    wait_until_ended(five, number)
    return video, task_id


def test_row_e_secrets_are_in_no_log_and_no_record(stack, five, ended, new_video):
    """Neither the secret of the call-back's URL nor the token is in anything but what the notification gets to know."""
    _, task_id = ended
    video = new_video(five)
    five.misfortunes.append(Misfortune.ERROR)
    five.request(video)
    wait_until_ended(five, video.number)
    logged = stack.adapter.said()
    for secret in (five.secret, TOKENS["five"], TOKENS["four"]):
        assert secret not in logged
        for key in stack.jobs.scan_iter(f"{keys.job(task_id)}*"):
            if not key.endswith(":private"):
                assert secret not in str(stack.jobs.dump(key)), key
        for _, letter in stack.jobs.xrange(keys.DEAD):
            assert secret not in json.dumps(letter)


def test_row_g_list_has_names_alone(stack, five, ended):
    _, task_id = ended
    assert all(isinstance(entry, str) for entry in five.manager.files(task_id))


def test_row_d_and_h_every_rendition_is_an_mp4_and_no_other_is(five, ended):
    """Also 1080p, of which it says that it wants none: it plays nothing else."""
    video, task_id = ended
    assert sorted(video.renditions) == [360, 720, 1080]
    names = [name for name in five.manager.files(task_id) if name.endswith(".mp4")]
    assert sorted(names) == sorted(video.renditions.values())


def test_row_h_picture_is_the_first_of_its_name(ended):
    video, _ = ended
    assert [name for name in video.files if not name.endswith(".mp4")] == [f"video-{video.number}_0.png"]


def test_row_j_answer_that_is_lost_is_made_good_by_the_call(five, new_video):
    """It does not store the number: the call is the only net."""
    video = new_video(five)
    five.misfortunes.append(Misfortune.LOST_ANSWER)
    assert five.request(video) == ""
    wait_until_ended(five, video.number)
    assert video.is_ready


def test_row_l_source_that_is_deleted_before_the_results_are_fetched_is_not_missed(five, ended):
    video, task_id = ended
    assert video.number in five.deleted
    assert five.manager.fetch(task_id, video.renditions[360])


def test_row_i_there_are_never_two_calls_at_once(five, new_video):
    """Its import takes long, and the answer is lost: only when it cannot run any more is it called again."""
    video = new_video(five)
    five.misfortunes.extend([Misfortune.SLOW, Misfortune.LOST_REPLY])
    begun = time.monotonic()
    task_id = five.request(video)
    wait_for(lambda: five.statuses(task_id) == ["completed"] * 2, 20)
    assert time.monotonic() - begun > HASTE.may_run_s
    assert video.is_ready


@pytest.mark.slow
def test_row_s_many_videos_of_one_client_leave_turns_to_another(stack, four, five, new_video):
    """One change of a dressing encodes all its videos again."""
    many = [new_video(five) for _ in range(40)]
    for video in many:
        five.request(video)
    single = new_video(four)
    four.request(single)
    wait_until_ended(four, single.number)
    assert single.is_ready
    for video in many:
        wait_until_ended(five, video.number, 60)
