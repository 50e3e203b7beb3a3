"""What Pod 4.2 to 4.4 needs of the runner API: column V4 of docs/contract-pod-runner.md, row by row."""

import json
import time

import httpx
import pytest

from adapter.redis import keys
from support.parts import NOWHERE
from support.processes import wait_for
from support.runner_pod import Misfortune
from support.runner_stack import TOKENS, upload, wait_until_ended

LATER_S = 0.8
"""More than all waits of the tests."""


def body_of(pod, video):
    return {
        "etab_name": "Université / Pod",
        "app_name": "Esup-Pod",
        "task_type": "encoding",
        "source_url": f"{pod.url}/media/{video.source}",
        "parameters": {},
        "notify_url": f"{pod.url}/runner/notify_task_end/",
    }


@pytest.fixture
def client(stack):
    with httpx.Client(base_url=stack.url, headers={"Authorization": f"Bearer {TOKENS['four']}"}) as opened:
        yield opened


def new_ended(pod, number):
    task = pod.request(pod.add_video(number, upload(pod, number)))
    wait_until_ended(pod, number)
    return task


@pytest.fixture(scope="module")
def imported(stack, numbers):
    """A task of a Pod 4 that was imported, only to be looked at."""
    return new_ended(stack.four, next(numbers))


@pytest.fixture
def ended(four, numbers):
    """A task of a Pod 4 that was imported."""
    return new_ended(four, next(numbers))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKENS["four"]}])
def test_row_a_wrong_token_is_told_as_such(stack, headers):
    for path in ("/task/list", "/task/status/1", "/task/result/1"):
        answer = httpx.get(stack.url + path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["detail"]


def test_row_a_tasks_of_one_client_are_nothing_to_another(stack, imported):
    for path in ("status", "result"):
        answer = httpx.get(f"{stack.url}/task/{path}/{imported.task_id}", headers={"X-API-Token": TOKENS["five"]})
        assert answer.status_code == 404


def test_row_b_what_no_manager_takes_is_handed_over_by_the_cron(stack, four, new_video):
    four.use(NOWHERE)
    task = four.request(new_video(four))
    assert task.status == "pending"
    four.use(NOWHERE, stack.url)
    try:
        four.submit_pending()
        assert task.status == "running"
    finally:
        four.use(stack.url)
    wait_until_ended(four, task.video.number)


def test_row_c_answer_is_never_pending(client, four, new_video):
    answer = client.post("/task/execute", json=body_of(four, new_video(four)))
    assert answer.status_code == 200
    assert answer.json()["status"] == "running"


@pytest.mark.parametrize("missing", ["etab_name", "app_name", "task_type", "source_url", "notify_url"])
def test_row_c_request_that_lacks_something_is_422(client, four, new_video, missing):
    body = body_of(four, new_video(four))
    del body[missing]
    answer = client.post("/task/execute", json=body)
    assert answer.status_code == 422
    assert missing in json.dumps(answer.json())


@pytest.mark.parametrize(
    ("rendition", "heights"),
    [
        ('{"360": {"resolution": "640x360", "encode_mp4": true}}', [360]),
        ({"720": {"resolution": "1280x720", "encode_mp4": True}}, [720]),
        (
            '{"360": {"resolution": "640x360", "encode_mp4": true, "video_bitrate": "750k", "audio_bitrate": "96k"}}',
            [360],
        ),
    ],
)
def test_row_d_renditions_are_those_that_were_asked_for(four, new_video, rendition, heights):
    task = four.request(new_video(four), rendition=rendition)
    wait_until_ended(four, task.video.number)
    assert sorted(task.video.renditions) == heights


def test_row_j_answer_that_was_lost_is_repeated_and_gives_the_same_task(stack, four, new_video):
    """The same request in flight is the same task; the end is told once it is known under its number."""
    four.misfortunes.append(Misfortune.LOST_ANSWER)
    task = four.request(new_video(four))
    assert task.task_id == ""
    in_flight = stack.jobs.smembers(keys.client_jobs("four"))
    four.submit_pending()
    assert task.task_id in in_flight
    assert stack.jobs.smembers(keys.client_jobs("four")) <= in_flight
    wait_until_ended(four, task.video.number)
    assert task.video.is_ready


def test_row_j_call_about_a_task_that_is_not_known_yet_is_repeated(four, new_video):
    """Our answer is lost, and its cron comes only after the end."""
    four.misfortunes.append(Misfortune.LOST_ANSWER)
    task = four.request(new_video(four))
    wait_for(lambda: four.received and four.received[-1].answer == 404, 10)
    four.submit_pending()
    wait_until_ended(four, task.video.number)
    assert task.video.is_ready


def test_row_k_request_that_is_repeated_after_its_end_is_told_of_it_again(four, ended):
    """Pod has deleted the renditions; the end of the new task must not come before it has."""
    four.submit(ended)
    assert ended.video.renditions == {}
    wait_until_ended(four, ended.video.number)
    time.sleep(LATER_S)
    assert ended.video.is_ready


def test_row_k_request_that_is_repeated_while_the_end_is_told_is_told_of_it_again(stack, four, new_video):
    task = four.request(new_video(four))
    wait_for(lambda: task.video.is_ready, 10)
    four.submit(task)
    wait_until_ended(four, task.video.number)
    time.sleep(LATER_S)
    assert task.video.is_ready


@pytest.mark.slow
def test_row_m_call_is_refused_until_the_token_is_corrected(four, new_video):
    task, right = four.request(new_video(four)), four.token
    four.token = "another"  # noqa: S105 - wrong on purpose
    time.sleep(LATER_S + 1)
    assert task.video.in_progress
    four.token = right
    wait_until_ended(four, task.video.number)
    assert task.video.is_ready


@pytest.mark.slow
def test_row_i_import_that_always_fails_is_a_clear_failure_in_the_end(four, new_video):
    """However often it is called: people see an error, not a video that is in progress for ever."""
    four.misfortunes.extend([Misfortune.FAILED_IMPORT] * 9)
    task = four.request(new_video(four))
    wait_until_ended(four, task.video.number, 60)
    assert task.video.error
    assert four.statuses(task.task_id)[-4:] == ["completed"] * 3 + ["failed"]


def test_row_g_files_are_listed_as_they_can_be_fetched(client, imported):
    listed = client.get(f"/task/result/{imported.task_id}").json()
    assert listed["task_id"] == imported.task_id
    for entry in listed["files"]:
        name = entry if isinstance(entry, str) else entry["file_path"]
        assert client.get(f"/task/result/{imported.task_id}/file/{name}").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("nothing.mp4", 404), ("%2Fetc%2Fpasswd", 400), ("..%2F..%2Fcall.json", 400), ("a%2F..%2F..%2Fcall.json", 400)],
)
def test_row_g_files_are_those_of_the_task_alone(client, imported, path, status):
    assert client.get(f"/task/result/{imported.task_id}/file/{path}").status_code == status


def test_row_g_part_of_a_file_is_what_was_asked_for(client, imported):
    url = f"/task/result/{imported.task_id}/file/studio_base.mp4"
    assert client.get(url).status_code == 404
    url = f"/task/result/{imported.task_id}/file/info_video.json"
    whole = client.get(url)
    part = client.get(url, headers={"Range": "bytes=3-9", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert part.headers["content-range"] == f"bytes 3-9/{len(whole.content)}"


def test_row_h_and_n_list_has_what_the_importer_looks_for(imported):
    info = json.loads(imported.video.files["info_video.json"])
    assert {one["rendition"] for one in info["encode_video"]} == {"640x360", "1280x720", "1920x1080"}
    for one in info["encode_video"]:
        if one["encoding_format"] == "video/mp2t":
            assert one["filename"].removesuffix(".m3u8") + ".ts" in imported.video.files


def test_row_l_results_are_there_after_the_import(client, imported):
    assert client.get(f"/task/status/{imported.task_id}").json()["status"] == "completed"
    assert client.get(f"/task/result/{imported.task_id}").status_code == 200


def test_row_o_cron_that_looks_after_two_hours_imports_what_was_not(stack, four, new_video):
    """Its site was down whenever it was called."""
    task, address = four.request(new_video(four)), four.token
    four.token = "down"  # noqa: S105 - refuses every call
    wait_for(lambda: httpx.get(
        f"{stack.url}/task/status/{task.task_id}", headers={"Authorization": f"Bearer {address}"}
    ).json()["status"] == "completed", 10)  # fmt: skip
    assert task.video.in_progress
    four.look_at_running(older_than_s=0)
    assert task.video.is_ready
    four.token = address


def test_row_o_unknown_tasks_and_those_without_a_result_are_told_apart(client, four, new_video):
    assert client.get("/task/status/no-such-task").status_code == 404
    assert client.get("/task/result/no-such-task").status_code == 404
    task_id = client.post("/task/execute", json=body_of(four, new_video(four))).json()["task_id"]
    assert client.get(f"/task/result/{task_id}").status_code in {200, 425}
    failed = client.post("/task/execute", json=body_of(four, new_video(four, b"damaged"))).json()["task_id"]
    wait_for(lambda: client.get(f"/task/status/{failed}").json()["status"] == "failed", 10)
    assert client.get(f"/task/result/{failed}").status_code == 400


def test_row_p_cut_that_leaves_nothing_is_a_clear_failure(four, new_video):
    cut = json.dumps({"start": "00:00:09", "end": "00:00:03", "initial_duration": "00:01:00"})
    task = four.request(new_video(four), cut=cut, rendition=four.rendition())
    wait_until_ended(four, task.video.number)
    assert "the chosen beginning and end leave nothing" in task.video.error


def test_row_q_transcription_is_imported(four, new_video):
    task = four.request(new_video(four), "transcription", language="fr", duration=12.5, normalize=True)
    wait_for(lambda: any(name.endswith(".vtt") for name in task.video.files), 20)
    assert task.status == "completed"


def test_row_q_translation_that_cannot_be_made_is_refused_clearly(stack, four, new_video):
    task = four.request(new_video(four), "transcription", language="de", source_language="fr")
    wait_for(lambda: task.status == "failed", 10)
    (told,) = [one for one in four.received if one.task_id == task.task_id and one.status == "failed"]
    assert told.error_message


def test_row_r_studio_is_imported(four, new_video):
    task = four.request(new_video(four), "studio")
    wait_until_ended(four, task.video.number)
    assert "studio_base.mp4" in task.video.files
    assert task.video.is_ready


def test_task_that_is_stopped_has_failed(client, four, new_video):
    assert client.post("/task/stop/no-such-task").status_code == 404
    task_id = client.post("/task/execute", json=body_of(four, new_video(four))).json()["task_id"]
    stopped = client.post(f"/task/stop/{task_id}").status_code
    assert stopped in {202, 409}
    if stopped == 202:
        assert client.get(f"/task/status/{task_id}").json()["status"] == "failed"
        assert client.post(f"/task/stop/{task_id}").status_code == 409


@pytest.mark.parametrize("path", ["/api/health", "/manager/health"])
def test_health_is_told_to_everybody(stack, path):
    answer = httpx.get(stack.url + path)
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
