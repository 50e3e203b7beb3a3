"""What both clients need of the runner API: rows of docs/contract-pod-runner.md that hold for each of them."""

import time

import pytest

from support.processes import wait_for
from support.runner_pod import Misfortune
from support.runner_stack import upload, wait_until_ended


def test_encoding_of_a_video_is_imported(pod, new_video):
    video = new_video(pod)
    pod.request(video)
    wait_until_ended(pod, video.number)
    assert video.is_ready
    assert sorted(video.renditions) == [360, 720, 1080]
    assert all(
        content.startswith(f"source {video.number}: ".encode())
        for content in video.files.values()
        if content[:1] != b"{"
    )


def test_row_b_work_that_waits_is_no_reason_to_refuse_more(pod, new_video):
    """However much there is: a Pod 5 puts a video in error for any other answer than 200."""
    videos = [new_video(pod) for _ in range(8)]
    for video in videos:
        pod.request(video)
    assert all(not video.error for video in videos)
    for video in videos:
        wait_until_ended(pod, video.number, 60)
        assert video.is_ready


def test_failure_is_told_once_with_its_reason(pod, new_video):
    video = new_video(pod, b"damaged")
    pod.request(video)
    wait_until_ended(pod, video.number)
    assert "could not be encoded" in video.error


def test_row_f_running_is_told_to_v4_alone(pod, new_video, four):
    video = new_video(pod)
    before = len(pod.received)
    pod.request(video)
    wait_until_ended(pod, video.number)
    said = {one.status for one in pod.received[before:]}
    assert said <= ({"running", "completed"} if pod is four else {"completed"})


def test_row_j_first_call_comes_after_the_answer_is_stored(pod, new_video, stack):
    """It is made at once: a Pod 4 that is called before would delete what it has just imported."""
    video, begun = new_video(pod), time.monotonic()
    pod.request(video)
    wait_for(lambda: any(one.status == "completed" for one in pod.received[-1:]) and video.has_ended, 20)
    assert time.monotonic() - begun >= 0.4
    time.sleep(0.3)
    assert video.is_ready


@pytest.mark.parametrize(
    "misfortune", [Misfortune.DOWN, Misfortune.ERROR, Misfortune.LOST_REPLY, Misfortune.BAD_GATEWAY, Misfortune.SLOW]
)
def test_row_m_call_that_goes_wrong_is_made_again(pod, new_video, misfortune):
    video = new_video(pod)
    pod.misfortunes.append(misfortune)
    pod.request(video)
    wait_until_ended(pod, video.number)
    assert video.is_ready
    assert pod.most_at_once == 1


def test_row_i_import_that_fails_is_healed_by_a_repeat(pod, new_video):
    """A Pod 4 says 200 all the same: what it has fetched tells."""
    video = new_video(pod)
    pod.misfortunes.append(Misfortune.FAILED_IMPORT)
    pod.request(video)
    wait_until_ended(pod, video.number)
    assert video.is_ready


@pytest.mark.slow
def test_row_s_request_again_after_it_has_ended_is_done_again(pod, new_video):
    video = new_video(pod)
    for _ in range(2):
        upload(pod, video.number)  # a Pod 5 deletes it
        pod.request(video)
        wait_for(lambda: video.in_progress, 5)
        wait_until_ended(pod, video.number)
        assert video.is_ready
