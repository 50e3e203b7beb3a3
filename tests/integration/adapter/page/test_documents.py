"""What the documents show, and what they change."""

import json
import re
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapter.inspection.dead_letter_reader import DeadLetterReader
from adapter.operation_settings.page import PageSettings
from adapter.page.actions import Actions
from adapter.page.routes import PageRoutes
from adapter.page.views import ViewReader
from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.statements.store import StatementStore
from adapter.steering.dead_letters import DeadLetterSteering
from adapter.steering.replay import ReplayTargets
from adapter.steering.steering import Steering
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.errors import Problem, ShutOutError
from support.jobs import studio_job
from support.processes import free_port

LIMIT_BYTES = 100_000
LONG = "&'<" * 2000


@pytest.fixture
async def ended_steps(jobs_redis):
    """Note attempts of a job's steps."""

    async def note(job_id, steps, reason=""):
        for number in range(steps):
            began = 1_700_000_001 + number
            outcome = "retried" if reason else "done"
            times = (1_700_000_000, began, began, began + 2)
            values = [f"chunk-{number:04}", "encoding", "chunk", "encode", 1, outcome, *times, "one", 1.5, 0, reason]
            await jobs_redis.rpush(keys.job_attempts(job_id), json.dumps(values))

    return note


async def test_what_needs_attention_comes_first_with_a_place_to_go_to(page, store_job, jobs_redis):
    await store_job()
    await jobs_redis.hset(keys.TOTALS, "failed:encoding", "3")
    await page.open("/")
    attention = page.html.partition("</section>")[0]
    assert "3 jobs have failed in the last 24 hours: <code>podjobs jobs --state failed</code>" in attention
    assert 'href="/jobs?state=failed"' in attention


async def test_a_token_that_pod_refuses_is_noticed_at_the_first_job(page, store_job):
    trouble = Problem.of(ShutOutError("Pod refused the token (401).")).model_dump_json()
    await store_job("job-1", state="running", trouble=trouble)
    await page.open("/")
    assert "A job does not get on: Pod refused the token (401)." in page.html


async def test_jobs_that_share_a_trouble_are_noticed_once(page, store_job):
    for number in range(3):
        await store_job(f"job-{number}", state="running", reason="The storage does not answer.")
    await page.open("/")
    assert page.html.count("Jobs do not get on (3 of those shown here): The storage does not answer.") == 1


async def test_a_failed_job_is_run_anew_by_its_button(page, store_job, jobs_redis):
    await store_job(reason="The file is broken.")
    await page.open("/")
    assert "The file is broken." in page.html
    assert 'formaction="/jobs/job-1/retry?back=/"' in page.html
    assert (await page.send("/jobs/job-1/retry?back=/"), page.answer.headers["Location"]) == (303, "/")
    assert await jobs_redis.hget(keys.job("job-1"), "state") == "queued"
    await page.open("/")
    assert await page.send("/jobs/job-1/retry") == 409
    assert "It is queued: only a job that has failed or was cancelled can be run anew." in page.html


async def test_cancelling_is_asked_first_and_takes_a_reason(page, records, make_job, jobs_redis):
    await records.accept([make_job("job-1", 7)])
    await page.open("/")
    assert 'href="/jobs/confirm?action=cancel&amp;job=job-1"' in page.html
    await page.open("/jobs/confirm?action=cancel&job=job-1")
    assert "1 job would be changed; nothing was changed yet." in page.html
    assert await jobs_redis.hget(keys.job("job-1"), "state") == "queued"
    assert await page.send("/jobs/change", action="cancel", job="job-1", reason="wrong file") == 200
    assert "1 job was cancelled." in page.html
    assert "The reason given is: wrong file." in await jobs_redis.hget(keys.job("job-1"), "error")


async def test_bulk_actions_show_what_they_would_change_and_change_just_that(page, store_job, jobs_redis):
    for number, (state, source) in enumerate(
        [("failed", "videos/anna/1.mp4"), ("cancelled", "videos/anna/2.mp4"), ("failed", "videos/bert/3.mp4"),
         ("done", "videos/anna/4.mp4"), ("superseded", "videos/anna/5.mp4")]
    ):  # fmt: skip
        await store_job(f"job-{number}", state, source=source, target=str(number))
    await page.open("/jobs/confirm?action=retry&owner=anna")
    assert "2 jobs would be changed" in page.html
    chosen = [f"job-{number}" for number in range(5) if f'name="job" value="job-{number}"' in page.html]
    assert chosen == ["job-0", "job-1"]
    assert await page.send("/jobs/change", action="retry", job="job-0") == 200
    states = [await jobs_redis.hget(keys.job(f"job-{number}"), "state") for number in range(5)]
    assert states == ["queued", "cancelled", "failed", "done", "superseded"]


@pytest.mark.parametrize("query", ["state=brokn", "since=yesterday", "type=x&action=retry"])
async def test_conditions_that_cannot_be_read_choose_nothing(page, store_job, query):
    await store_job()
    for place in (f"/jobs?{query}", f"/jobs/confirm?action=retry&{query}"):
        await page.open(place)
        assert "This cannot be read: " in page.html
        assert "job-1" not in page.html


async def test_functions_are_paused_and_resumed(page, jobs_redis):
    await page.open("/")
    assert await page.send("/functions/encoding/pause?back=/") == 303
    await page.open("/")
    assert "The function encoding is paused" in page.html
    assert 'formaction="/functions/encoding/resume?back=/"' in page.html
    assert await page.send("/functions/encoding/resume?back=/") == 303
    assert not await jobs_redis.exists(keys.PAUSED)
    await page.open("/")
    assert await page.send("/functions/nothing/pause") == 404


async def test_draining_is_asked_first(page, make_streams, jobs_redis):
    await make_streams("one")
    await page.open("/")
    assert 'href="/adapters/one/drain"' in page.html
    await page.open("/adapters/one/drain")
    assert not await jobs_redis.exists(keys.DRAINS)
    assert await page.send("/adapters/one/drain?back=/") == 303
    assert await jobs_redis.hexists(keys.DRAINS, "one")
    await page.open("/")
    assert await page.send("/adapters/two/drain") == 404


async def test_a_jobs_page_has_its_steps_its_log_and_its_place_in_pod(open_page, store_job, jobs_redis, ended_steps):
    await store_job(state="done", reason="")
    await ended_steps("job-1", 2)
    await jobs_redis.rpush(keys.job_log("job-1"), "The first.", "The second.")
    settings = {"pod_api_url": "https://pod.example.org/rest", "pod_media_url": "https://pod.example.org/media"}
    async with open_page(**settings) as page:
        await page.open("/jobs/job-1")
    assert '<rect class="work"' in page.html
    assert "<li>The first.</li><li>The second.</li>" in page.html
    assert 'href="https://pod.example.org/video/0007-/"' in page.html
    assert 'href="https://pod.example.org/admin/video/video/7/change/"' in page.html
    assert 'src="https://pod.example.org/media/videos/anna/0007/360p.mp4"' in page.html


async def test_a_failed_jobs_page_has_what_people_are_told_in_pod_beside_the_reason(page, store_job):
    problem = Problem(title="The job cannot be done.", status=422, detail="moov atom not found", kind="damaged")
    await store_job(error=problem.model_dump_json())
    await page.open("/jobs/job-1")
    assert "moov atom not found" in page.html
    assert "Users are told in Pod: The video could not be encoded: the file is damaged." in page.html
    await page.open("/jobs/job-1?lang=fr")
    assert "le fichier est endommagé." in page.html
    await store_job("job-2", state="running", trouble=problem.model_dump_json())
    await page.open("/jobs/job-2")
    assert "le fichier est endommagé." not in page.html


async def test_a_recordings_page_has_its_number_and_its_place_in_pod(open_page, store_job):
    params = studio_job("job-1", 8).model_dump_json()
    await store_job(state="done", reason="", type="studio", target="recording-8", params=params)
    async with open_page(pod_api_url="https://pod.example.org/rest", pod_media_url="https://pod.example.org/m") as page:
        await page.open("/jobs/job-1")
    assert "studio 8" in page.html
    assert "opencast-files/a1/presentation.webm" in page.html
    assert 'href="https://pod.example.org/admin/recorder/recording/8/change/"' in page.html
    assert "/video/" not in page.html
    assert "<video" not in page.html


async def test_what_pod_serves_nowhere_is_not_linked(page, store_job):
    await store_job(state="done", reason="")
    await page.open("/jobs/job-1")
    assert "<video" not in page.html
    assert "/video/" not in page.html


async def test_the_page_is_in_the_language_that_a_browser_asks_for_until_another_is_chosen(page, store_job):
    await store_job(reason="It is broken.")
    await page.open("/", **{"Accept-Language": "fr-FR,fr;q=0.9"})
    assert '<html lang="fr">' in page.html
    assert "À traiter" in page.html
    assert '<span class="told" lang="en">It is broken.</span>' in page.html
    assert 'href="/?lang=en"' in page.html
    await page.open("/jobs?state=failed&lang=fr")
    assert 'href="/jobs?state=failed&amp;lang=en"' in page.html
    await page.open("/")
    assert '<html lang="fr">' in page.html


async def test_behind_a_proxy_all_addresses_have_its_path(open_page, store_job):
    await store_job()
    shown = {"Authorization": "Bearer a-token-of-the-tests"}
    settings = {"podjobs_page_url": "https://pod.example.org/podjobs", "podjobs_page_token": "a-token-of-the-tests"}
    async with open_page(**settings) as page:
        assert await page.open("/", **shown) == 200
        places = re.findall(r' (?:href|src|action|formaction|data-follow)="([^"#]+)', page.html)
        assert places
        assert [place for place in places if not place.startswith("/podjobs/")] == []
        await page.send("/jobs/job-1/retry?back=/", shown)
        assert page.answer.headers["Location"] == "/podjobs/"


async def test_documents_stay_small_whatever_jobs_say(page, store_job, jobs_redis, ended_steps, records, make_job):
    for number in range(200):
        job_id = f"{number:08}-0000-0000-0000-000000000000"
        await store_job(job_id, source=f"videos/{'x' * 60}/{'é' * 60}.mp4", reason=LONG, target="9" * 60)
    await records.accept([make_job(f"{number:08}-1111-0000-0000-000000000000", number) for number in range(600)])
    samples = int(time.time() // 60 - 1440)
    for minute in range(samples, samples + 1440):
        numbers = {"waiting": minute % 977, "running": 8, "done": 7 * minute, "failed": 3 * minute}
        await jobs_redis.xadd(keys.SAMPLES, numbers, id=f"{minute * 60_000}-0")
    one = "00000007-0000-0000-0000-000000000000"
    await ended_steps(one, 600, LONG)
    await jobs_redis.rpush(keys.job_log(one), *[LONG] * 300)
    sizes = {}
    places = (
        "/",
        "/jobs",
        "/jobs?reason=x",
        f"/jobs/{one}",
        "/jobs/confirm?action=retry",
        "/jobs/confirm?action=cancel",
    )
    for place in places:
        assert await page.open(place) == 200
        sizes[place] = len(page.html.encode())
    assert {place: size for place, size in sizes.items() if size > LIMIT_BYTES} == {}
    assert sizes["/"] > 30_000


async def test_more_jobs_than_fit_are_changed_one_part_after_the_other(page, records, make_job):
    await records.accept([make_job(f"job-{number}", number) for number in range(502)])
    await page.open("/jobs/confirm?action=cancel")
    assert "500 jobs would be changed; nothing was changed yet. 2 more match: repeat this for them." in page.html


async def test_without_redis_the_page_says_so(open_page):
    client = open_redis(f"redis://127.0.0.1:{free_port()}/0", text=True)
    records = Records(client, 1000)
    targets = ReplayTargets(Interventions(records.script), StatementStore(client), client, {}, client)
    letters = DeadLetterSteering(DeadLetterReader(client), targets)
    routes = PageRoutes(PageSettings(), ViewReader(client, 30), Actions(client, Steering(client, records)), letters)
    app = web.Application()
    app.add_routes(routes.routes())
    async with TestClient(TestServer(app)) as browser, browser.get("/") as answer:
        assert answer.status == 503
        assert "The Redis with the jobs does not answer." in await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
    await client.aclose()


async def test_what_another_version_has_noted_of_steps_is_left_out(page, store_job, ended_steps, jobs_redis):
    await store_job(state="running", reason="")
    await ended_steps("job-1", 1)
    await jobs_redis.rpush(keys.job_attempts("job-1"), json.dumps(["chunk-0001", "encoding"]), '{"step": "chunk-0002"}')
    await jobs_redis.hset(keys.running("encoding"), mapping={"1-0": '{"job": "job-1"}', "2-0": "[]"})
    for place in ("/", "/jobs/job-1"):
        assert await page.open(place) == 200
    assert "chunk-0000" in page.html
    assert "chunk-0001" not in page.html


async def test_step_whose_adapter_is_gone_is_not_said_to_run(page, store_job, jobs_redis):
    await store_job(state="running", reason="")
    owners = {"killed": time.time() - 100, "alive": time.time()}
    await jobs_redis.zadd(keys.ADAPTERS, owners)
    for number, owner in enumerate((*owners, "ended")):
        step = {
            "job": "job-1",
            "step": f"s{number}",
            "action": "chunk",
            "attempt": 1,
            "owner": owner,
            "since": 1_700_000_010,
        }
        await jobs_redis.hset(keys.running("encoding"), f"{number}-0", json.dumps(step))
    await page.open("/")
    assert re.search(r"3 steps, its adapter is gone \(silent for 1 min 4\d s\)", page.html)
    await page.open("/jobs/job-1")
    rows = re.findall(r'<th scope="row">(s\d)</th><td>encoding</td><td>1</td><td>([^<]*)</td>', page.html)
    assert [(step, said.partition(" (")[0]) for step, said in sorted(rows)] == [
        ("s0", "its adapter is gone"), ("s1", "runs"), ("s2", "its adapter is gone"),
    ]  # fmt: skip


async def test_part_of_a_job_is_no_job(page, store_job, jobs_redis):
    await store_job()
    await jobs_redis.rpush(keys.job_log("job-1"), "Failed.")
    assert await page.open("/jobs/job-1:log") == 404
    assert await page.open("/jobs/confirm?action=retry&job=job-1:log") == 200
    assert "No job matches" in page.html
