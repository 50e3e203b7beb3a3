"""Who gets which of the page's documents, and what browsers are told about them."""

import asyncio
import json
import re

import pytest

from adapter.page import live
from adapter.redis import keys

TOKEN = "a-token-of-the-tests"  # noqa: S105 - not a real secret
LOOKED_AT = (
    "/",
    "/admin",
    "/admin/",
    "/jobs",
    "/jobs/job-1",
    "/jobs/confirm?action=retry",
    "/adapters/one/drain",
    "/dead",
    "/dead/confirm?action=drop",
)
CHANGES = (
    "/jobs/job-1/retry",
    "/jobs/change",
    "/functions/encoding/pause",
    "/functions/encoding/resume",
    "/adapters/one/drain",
    "/dead/change",
    "/logout",
)
KEY = re.compile(r'name="key" value="([^"]*)"')
EVIL = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'"


@pytest.fixture
async def guarded(open_page):
    async with open_page(podjobs_page_token=TOKEN) as opened:
        yield opened


@pytest.mark.parametrize("place", [*LOOKED_AT, "/events"])
async def test_without_the_token_there_is_the_login_and_nothing_else(guarded, store_job, place):
    await store_job(source="videos/anna/secret-lecture.mp4")
    assert await guarded.open(place) == 401
    assert 'type="password"' in guarded.html
    assert "It is broken." not in guarded.html
    assert "secret-lecture" not in guarded.html


@pytest.mark.parametrize("place", CHANGES)
async def test_without_the_token_nothing_is_changed(guarded, store_job, jobs_redis, place):
    await store_job()
    assert await guarded.send(place, job="job-1", action="retry") == 401
    assert await jobs_redis.hget(keys.job("job-1"), "state") == "failed"
    assert not await jobs_redis.exists(keys.PAUSED)


async def test_login_gives_a_cookie_that_scripts_and_other_sites_do_not_get(guarded, store_job):
    await store_job()
    assert await guarded.send("/login", token="wrong-wrong-wrong") == 401  # noqa: S106 - not a real secret
    assert "This is not the token." in guarded.html
    assert "Set-Cookie" not in guarded.answer.headers
    assert await guarded.send("/login", token=TOKEN) == 303
    cookie = guarded.answer.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert await guarded.open("/") == 200
    assert await guarded.send("/jobs/job-1/retry") == 303
    await guarded.open("/")
    assert await guarded.send("/logout") == 200
    assert await guarded.open("/") == 401


async def test_cookie_that_was_copied_is_of_no_use_after_the_logout_at_any_adapter(open_page, store_job, jobs_redis):
    await store_job()
    token = {"podjobs_page_token": TOKEN}
    async with open_page(**token) as page, open_page(**token) as other, open_page(**token) as colleague:
        await page.send("/login", token=TOKEN)
        await colleague.send("/login", token=TOKEN)
        copied = {"Cookie": page.answer.headers["Set-Cookie"].partition(";")[0]}
        assert await other.open("/", **copied) == 200
        key = KEY.search(other.html)[1]
        await page.open("/")
        assert await page.send("/logout") == 200
        for place in ("/", "/dead", "/events"):
            assert await other.open(place, **copied) == 401
        assert await other.send("/jobs/job-1/retry", headers=copied, key=key) == 401
        assert await colleague.open("/") == 200
    assert await jobs_redis.hget(keys.job("job-1"), "state") == "failed"
    assert 0 < await jobs_redis.ttl(keys.PAGE_LOGOUTS) <= 12 * 3600
    (kept,) = await jobs_redis.zrange(keys.PAGE_LOGOUTS, 0, -1)
    assert copied["Cookie"].startswith(f"podjobs={kept}.")  # without what proves it


async def test_page_that_is_followed_ends_with_the_login(open_page, monkeypatch):
    monkeypatch.setattr(live, "INTERVAL_S", 0.02)
    monkeypatch.setattr(live, "SILENCE_S", 0.2)
    async with open_page(podjobs_page_token=TOKEN) as page, open_page(podjobs_page_token=TOKEN) as other:
        await page.send("/login", token=TOKEN)
        copied = {"Cookie": page.answer.headers["Set-Cookie"].partition(";")[0]}
        async with other.client.get("/events", headers=copied) as answer:
            assert answer.status == 200
            assert await answer.content.readuntil(b"\n\n")
            await page.open("/")
            await page.send("/logout")
            async with asyncio.timeout(5):
                await answer.content.read()


async def test_cookie_is_for_https_only_if_the_page_is_reached_so(guarded):
    await guarded.send("/login", headers={"X-Forwarded-Proto": "https"}, token=TOKEN)
    assert "Secure" in guarded.answer.headers["Set-Cookie"]


async def test_a_program_shows_the_token_in_a_header(guarded, store_job, jobs_redis):
    await store_job()
    shown = {"Authorization": f"Bearer {TOKEN}"}
    assert await guarded.open("/jobs", **shown) == 200
    assert await guarded.send("/jobs/job-1/retry", headers=shown) == 303
    assert await jobs_redis.hget(keys.job("job-1"), "state") == "queued"
    assert await guarded.open("/jobs", Authorization="Bearer x") == 401


async def test_many_wrong_tokens_are_not_looked_at(guarded):
    statuses = [await guarded.send("/login", token=f"wrong-{number}") for number in range(11)]
    assert statuses == [401] * 10 + [429]
    assert "Wait a minute." in guarded.html
    assert await guarded.send("/login", token=TOKEN) == 429


@pytest.mark.parametrize("place", LOOKED_AT)
async def test_without_a_token_to_show_the_page_is_for_this_machine(page, store_job, place):
    await store_job()
    assert await page.open(place) == 200
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "192.0.2.7"}):
        assert await page.open(place, **headers) == 403
        assert "set PODJOBS_PAGE_TOKEN" in page.html
        assert "It is broken." not in page.html


async def test_without_a_token_to_show_there_is_nothing_to_log_in_to(page):
    assert (await page.open("/login"), page.answer.headers["Location"]) == (303, "/")
    assert (await page.send("/login", token=""), page.answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("place", CHANGES[:-1])
async def test_what_another_site_makes_a_browser_send_changes_nothing(page, store_job, jobs_redis, place):
    await store_job()
    await page.open("/")
    fields = {"job": "job-1", "action": "retry"}
    assert await page.send(place, key="", **fields) == 403
    assert await page.send(place, key="0" * 64, **fields) == 403
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        await page.open("/")
        assert await page.send(place, headers=headers, **fields) == 403
    assert "does not come from the page itself" in page.html
    assert await jobs_redis.hget(keys.job("job-1"), "state") == "failed"
    assert not await jobs_redis.exists(keys.PAUSED)


@pytest.mark.parametrize("place", [*LOOKED_AT, "/jobs/unknown", "/login", "/jobs/confirm?action=drop"])
async def test_browsers_are_told_to_run_nothing_frame_nothing_and_keep_nothing(open_page, store_job, place):
    await store_job()
    async with open_page(pod_media_url="https://media.example.org/pod/media") as page:
        await page.open(place)
        headers = page.answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["media-src"] == "'self' https://media.example.org"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")


async def test_nothing_that_a_user_names_becomes_html(page, store_job, jobs_redis):
    name = EVIL.replace("/", "")
    await store_job("job-1", reason=EVIL, source=f"videos/{name}/{name}.mp4", target=EVIL)
    await store_job("job-2", state="running", reason=EVIL, target="8", stage=EVIL)
    await jobs_redis.rpush(keys.job_log("job-1"), EVIL)
    await jobs_redis.xadd(keys.DEAD, {"kind": "job", "job": EVIL, "problem": EVIL})
    await jobs_redis.xadd(keys.DEAD, {"kind": "message", "queue": EVIL, "problem": EVIL})
    await jobs_redis.xadd(keys.DEAD, {"kind": "statement", "statement": json.dumps({"id": EVIL}), "problem": EVIL})
    dead = ("/dead", f"/dead?reason={EVIL}", "/dead/confirm?action=drop")
    echoing = (f"/jobs?reason={EVIL}&owner={EVIL}", f"/jobs?since={EVIL}", f"/adapters/{name}/drain")
    for place in ("/", "/jobs", "/jobs/job-1", "/jobs/confirm?action=retry", *dead, *echoing):
        await page.open(place)
        assert "script&gt;alert(1)" in page.html or "since" in place, place
        for harmful in ("<script>alert", "<img", "</title><"):
            assert harmful not in page.html, place


async def test_an_address_to_go_back_to_is_ours(page):
    for back, expected in (("/jobs", "/jobs"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://e", "/")):
        await page.open("/")
        assert await page.send(f"/functions/all/pause?back={back}") == 303
        assert page.answer.headers["Location"] == expected


async def test_files_are_those_of_the_page(page):
    assert (await page.open("/static/page.css"), page.answer.content_type) == (200, "text/css")
    for name in ("..%2Froutes.py", "routes.py", "%2Fetc%2Fpasswd", "page.css.py", ""):
        assert await page.open(f"/static/{name}") == 404


async def ask(page, version):
    """Ask for the first page, as nginx does for a browser elsewhere if all it is told is where to pass it on."""
    host = f"{page.client.host}:{page.client.port}"
    reader, writer = await asyncio.open_connection(page.client.host, page.client.port)
    writer.write(f"GET / HTTP/{version}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split()[1])


async def test_without_a_token_a_proxy_that_does_not_say_so_is_told_from_a_browser_by_its_version(page):
    assert await ask(page, "1.0") == 403
    assert await ask(page, "1.1") == 200


async def test_page_that_is_reached_from_elsewhere_is_for_nobody_without_a_token(open_page):
    async with open_page(podjobs_page_url="https://pod.example.org/podjobs") as page:
        assert await page.open("/") == 403
        assert "Set PODJOBS_PAGE_TOKEN, too." in page.html
    async with open_page(podjobs_page_url="http://localhost:8090/podjobs") as page:
        assert await page.open("/") == 200
