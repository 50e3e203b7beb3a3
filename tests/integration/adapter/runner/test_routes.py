"""Each route, as docs/contract-pod-runner.md has it."""

import asyncio
import hashlib
import json
import os
import time

import httpx
import pytest

from adapter.redis import keys
from podjobs.contract.errors import Problem
from podjobs.contract.jobs import EncodingJob
from support.runner_requests import SITE, TOKEN, v4_task, v5_task

from .conftest import OTHER_TOKEN

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def publish(media, task_id, files):
    for name, content in files.items():
        media.write(f"runner/{task_id}/result/{name}", content)


async def receipts(jobs_redis, task_id, count):
    """The files that were fetched: noted right after the client has the last byte."""
    async with asyncio.timeout(5):
        while await jobs_redis.hlen(keys.job_fetched(task_id)) < count:
            await asyncio.sleep(0.01)
    return sorted(await jobs_redis.hkeys(keys.job_fetched(task_id)))


async def test_a_task_is_stored_before_it_is_answered(api, submit, jobs_redis, job_hash):
    begun = time.perf_counter()
    task_id = await submit(v4_task())
    assert time.perf_counter() - begun < 1
    fields = await job_hash(task_id)
    assert (fields["state"], fields["stage"], fields["client"]) == ("queued", "fetch", "pod")
    assert json.loads(fields["params"])["source"] == f"runner/{task_id}/source/lecture.mp4"
    private = await jobs_redis.hgetall(keys.job_private(task_id))
    # Redis' clock goes on within a script
    assert abs(float(private.pop("answered_at")) - float(fields["accepted_at"])) < 1
    assert private == {"notify_url": f"{SITE}/runner/notify_task_end/", "token": TOKEN}
    assert (await api.get(f"/task/status/{task_id}")).json()["status"] == "running"


async def test_a_repeat_of_a_request_in_flight_gets_the_same_id(submit, jobs_redis, perform):
    first = await submit(v4_task())
    answered = float(await jobs_redis.hget(keys.job_private(first), "answered_at"))
    assert await submit(v4_task()) == first
    await perform()
    assert await submit(v4_task()) == first, "it is in flight until its client has been notified"
    assert float(await jobs_redis.hget(keys.job_private(first), "answered_at")) > answered
    assert await jobs_redis.zcard(keys.JOBS) == 1
    others = {await submit(v4_task(etab_name="other")), await submit(v4_task(), OTHER_TOKEN), await submit(v5_task())}
    assert len({first, *others}) == 4


async def test_repeats_at_once_are_one_job(submit, jobs_redis):
    ids = await asyncio.gather(*(submit(v4_task()) for _ in range(40)))
    assert len(set(ids)) == 1
    assert await jobs_redis.zcard(keys.JOBS) == 1


async def test_a_repeat_of_a_request_that_has_ended_is_a_new_job(submit, finish):
    first = await submit(v4_task())
    await finish()
    assert await submit(v4_task()) != first


async def test_without_a_token_nothing_is_told(api, submit):
    task_id = await submit(v4_task())
    places = [f"/task/status/{task_id}", f"/task/result/{task_id}", f"/task/result/{task_id}/file/a", "/task/list"]
    for headers in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": ""},
        {"Authorization": "", "X-API-Token": "x"},
    ):
        answers = [await api.get(place, headers=headers) for place in places]
        answers += [await api.post(f"/task/stop/{task_id}", headers=headers)]
        answers += [await api.post("/task/execute", json=v4_task(), headers=headers)]
        assert {answer.status_code for answer in answers} == {401}
        assert all(answer.json()["detail"].startswith("Show the token") for answer in answers)


async def test_clients_see_their_own_tasks_alone(api, submit):
    own, foreign = await submit(v4_task()), await submit(v4_task(), OTHER_TOKEN)
    for place in (f"/task/status/{foreign}", f"/task/result/{foreign}", f"/task/result/{foreign}/file/a"):
        assert (await api.get(place)).status_code == 404
    assert (await api.post(f"/task/stop/{foreign}")).status_code == 404
    listed = (await api.get("/task/list")).json()["tasks"]
    assert [(task["task_id"], task["status"]) for task in listed] == [(own, "running")]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "JSON object"),
        (b"[]", "task is not valid"),
        (json.dumps({**v4_task(), "task_type": "dance"}).encode(), "task_type: "),
        (json.dumps(v4_task(notify_url="https://elsewhere.example.org/x?secret=s3cret")).encode(), "notify_hosts"),
        (json.dumps(v4_task(task_type="transcription")).encode(), "PODJOBS_FUNCTION_URL_TRANSCRIPTION"),
    ],
)
async def test_what_is_no_task_is_refused_with_a_reason(api, body, named, jobs_redis):
    answer = await api.post("/task/execute", content=body)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    assert "s3cret" not in answer.text
    assert await jobs_redis.zcard(keys.JOBS) == 0


async def test_a_result_is_told_and_given_once_all_is_made(api, submit, perform, records, media, jobs_redis):
    content = bytes(range(256)) * 9000  # longer than a block
    files = {"info_video.json": b"{}", "360p_lecture.mp4": content, "lecture_0.png": b"", "playlist.m3u8": b"#EXTM3U"}
    task_id = await submit(v4_task())
    for place in (f"/task/result/{task_id}", f"/task/result/{task_id}/file/info_video.json"):
        assert (await api.get(place)).status_code == 425
    await perform()
    publish(media, task_id, files)
    assert (await api.get(f"/task/status/{task_id}")).json()["status"] == "completed"
    told = (await api.get(f"/task/result/{task_id}")).json()
    assert told == {"task_id": task_id, "files": sorted(files)}
    for name, expected in files.items():
        answer = await api.get(f"/task/result/{task_id}/file/{name}")
        assert (answer.status_code, answer.content) == (200, expected)
        assert answer.headers["content-length"] == str(len(expected))
    assert await receipts(jobs_redis, task_id, len(files)) == sorted(files)


async def test_files_are_given_in_parts_and_not_twice(api, submit, perform, media, jobs_redis):
    content = bytes(range(256)) * 9000
    task_id = await submit(v4_task())
    await perform()
    publish(media, task_id, {"a.ts": content})
    place = f"/task/result/{task_id}/file/a.ts"
    head = await api.head(place)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(content)), b"")
    assert head.headers["content-type"] == "video/mp2t"
    etag = head.headers["etag"]
    part = await api.get(place, headers={"Range": "bytes=100-1200000", "If-Range": etag})
    assert (part.status_code, part.content) == (206, content[100:1_200_001])
    assert part.headers["content-range"] == f"bytes 100-1200000/{len(content)}"
    assert await jobs_redis.hlen(keys.job_fetched(task_id)) == 0, "a part that does not reach the end is no receipt"
    assert (await api.get(place, headers={"Range": "bytes=-5"})).content == content[-5:]
    assert await receipts(jobs_redis, task_id, 1) == ["a.ts"]
    assert (await api.get(place, headers={"Range": f"bytes={len(content)}-"})).status_code == 416
    assert (await api.get(place, headers={"If-None-Match": etag})).status_code == 304
    assert (await api.get(place, headers={"Range": "bytes=0-1", "If-Range": '"other"'})).status_code == 200


async def test_a_file_that_becomes_shorter_is_never_taken_for_complete(
    api, submit, perform, media, tmp_path, jobs_redis
):
    task_id = await submit(v4_task())
    await perform()
    publish(media, task_id, {"a.mp4": b"film"})
    path = tmp_path / "runner" / task_id / "result" / "a.mp4"
    os.truncate(path, 200 << 20)  # more than what lies in buffers
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - the stream has to be read
        async with api.stream("GET", f"/task/result/{task_id}/file/a.mp4") as answer:
            async for _ in answer.aiter_raw():
                os.truncate(path, 4 << 20)
    assert (await api.get(f"/task/status/{task_id}")).json()["status"] == "completed"
    assert await jobs_redis.hlen(keys.job_fetched(task_id)) == 0


async def test_a_file_that_its_client_has_not_taken_to_its_end_is_not_noted(
    api, submit, perform, media, tmp_path, jobs_redis
):
    task_id = await submit(v4_task())
    await perform()
    publish(media, task_id, {"a.mp4": b"film"})
    os.truncate(tmp_path / "runner" / task_id / "result" / "a.mp4", 200 << 20)
    async with api.stream("GET", f"/task/result/{task_id}/file/a.mp4") as answer:
        assert answer.headers["content-length"] == str(200 << 20)
    assert (await api.get("/api/health")).status_code == 200
    assert await jobs_redis.hlen(keys.job_fetched(task_id)) == 0


async def test_checksums_are_told_to_the_client_that_compares_them(api, submit, perform, media):
    digest = hashlib.sha256(b"film").hexdigest()
    for task, expected in (
        (v4_task(), [{"file_path": "a.mp4", "sha256": digest}, "b.png"]),
        (v5_task(), ["a.mp4", "b.png"]),
    ):
        task_id = await submit(task)
        await perform()
        publish(media, task_id, {"a.mp4": b"film", "b.png": b"picture"})
        media.write(f"runner/{task_id}/checksums.json", json.dumps({"a.mp4": digest}).encode())
        assert (await api.get(f"/task/result/{task_id}")).json()["files"] == expected
        assert (await api.get(f"/task/result/{task_id}/file/a.mp4")).headers["etag"] == f'"{digest}"'


@pytest.mark.parametrize(
    "path",
    ["../source/lecture.mp4", "%2e%2e/source/lecture.mp4", "..%2fsource%2flecture.mp4", "/etc/passwd",
     "%2Fetc%2Fpasswd", "a/../../source/lecture.mp4", "a%00", "..", "", "a//b", "..%5csource"],
)  # fmt: skip
async def test_nothing_outside_the_folder_of_a_result_is_given(api, submit, perform, media, path):
    task_id = await submit(v4_task())
    await perform()
    media.write(f"runner/{task_id}/source/lecture.mp4", b"source")
    publish(media, task_id, {"a": b"a"})
    port = api.base_url.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /runner/task/result/{task_id}/file/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{request}Connection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404"))
    assert b"source" not in answer.partition(b"\r\n\r\n")[2]


async def test_a_link_out_of_the_media_is_not_followed(api, submit, perform, media, tmp_path):
    task_id = await submit(v4_task())
    await perform()
    publish(media, task_id, {"a": b"a"})
    (tmp_path / "runner" / task_id / "result" / "b").symlink_to("/etc/hostname")
    assert (await api.get(f"/task/result/{task_id}/file/b")).status_code == 404


async def test_results_that_have_expired_are_gone(api, submit, finish):
    task_id = await submit(v4_task())
    await finish()
    for place in (f"/task/result/{task_id}", f"/task/result/{task_id}/file/a"):
        answer = await api.get(place)
        assert (answer.status_code, "PODJOBS_RUNNER_RESULT_DAYS" in answer.text) == (404, True)
    assert (await api.get(f"/task/status/{task_id}")).json()["status"] == "completed"


async def test_a_task_that_cannot_be_done_fails_with_its_reason(api, submit, take, records, job_hash):
    task_id = await submit(v4_task(parameters={"cut": "soon"}))
    (step,) = await take("encoding")
    assert step.spec.action == "plan"
    job = await records.job(task_id)
    assert isinstance(job, EncodingJob)
    await records.fail(step, job.refusal)
    status = (await api.get(f"/task/status/{task_id}")).json()
    assert (status["status"], "cut is not JSON" in status["error_message"]) == ("failed", True)
    assert (await api.get(f"/task/result/{task_id}")).status_code == 400
    assert (await api.get(f"/task/result/{task_id}/file/a")).status_code == 400
    assert await submit(v4_task(parameters={"cut": "soon"})) != task_id
    assert (await job_hash(task_id))["state"] == "superseded"


async def test_what_was_made_can_be_fetched_although_its_client_could_not_be_told(
    api, submit, perform, records, media, job_hash
):
    task_id = await submit(v4_task())
    notify = await perform()
    publish(media, task_id, {"a": b"a"})
    problem = Problem(title="It failed.", status=500, detail="Pod does not answer.")
    assert await records.fail(notify, problem) == "failed", "its failure stages are left out"
    assert (await job_hash(task_id))["undelivered"] == "1"
    assert (await api.get(f"/task/status/{task_id}")).json()["status"] == "warning"
    assert (await api.get(f"/task/result/{task_id}/file/a")).content == b"a"


async def test_stop_cancels_what_has_not_ended(api, submit, job_hash):
    task_id = await submit(v4_task())
    answer = await api.post(f"/task/stop/{task_id}")
    assert (answer.status_code, answer.json()["task_id"]) == (202, task_id)
    assert (await job_hash(task_id))["cancelled_by"] == "the client pod"
    assert (await api.post(f"/task/stop/{task_id}")).status_code == 409
    assert (await api.post(f"/task/stop/{UNKNOWN}")).status_code == 404


async def test_unknown_tasks_are_not_found(api):
    for place in (f"/task/status/{UNKNOWN}", f"/task/result/{UNKNOWN}", f"/task/result/{UNKNOWN}/file/a",
                  "/task/status/a:private", "/task/status/%2e%2e"):  # fmt: skip
        assert (await api.get(place)).status_code == 404


async def test_health_is_told_to_everybody(api):
    for place in ("/api/health", "/manager/health"):
        answer = await api.get(place, headers={"Authorization": ""})
        assert (answer.status_code, answer.json()["status"]) == (200, "healthy")


async def test_admin_leads_to_the_page(api):
    answer = await api.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:8090/admin")
