"""The page in a real browser: it is kept up to date, and everybody can use it."""

import json
import time

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from adapter.redis import keys
from local.client import request_encoding
from podjobs.contract.errors import Problem
from support.fidelity.browser import missing_programs, open_browser
from support.jobs import encoding_job
from support.processes import REPOSITORY

AXE = (REPOSITORY / "tests/data/axe-core/axe.min.js").read_text(encoding="utf-8")
JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
DOCUMENTS = (
    "/",
    "/jobs",
    "/jobs?since=never",
    f"/jobs/{JOB}",
    "/jobs/confirm?action=retry",
    "/adapters/one/drain",
    "/jobs/unknown",
    "/dead",
    "/dead?kind=never",
    "/dead/confirm?action=drop",
)
AGAIN = {"queued", "running"}
TOKEN = "a-token-of-the-tests"  # noqa: S105 - not a real secret
WIDTH_PX, HEIGHT_PX = 1280, 800

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason="needs chromium and chromedriver")


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture
def adapter(start, client):
    """An adapter that delivers nothing, with a job that has failed."""
    sample_the_day(client)
    running = start(POD_API_URL="https://pod.example.org/rest", POD_MEDIA_URL="https://pod.example.org/media").wait()
    fail(client, JOB)
    return running


def fail(client, job_id, state="failed"):
    """Store a job that has ended, with what is noted of it."""
    job = encoding_job(job_id, 7, "/media/videos/anna/a-lecture.mp4")
    problem = Problem(title="Broken.", status=422, detail="The file is broken.").model_dump_json()
    record = {"type": "encoding", "target": "7", "params": job.model_dump_json(), "state": state, "error": problem}
    now_s = time.time()
    client.hset(keys.job(job_id), mapping=record | {"accepted_at": now_s - 100, "ended_at": now_s, "attempts": 3})
    client.zadd(keys.JOBS, {job_id: now_s})
    client.hincrby(keys.TOTALS, "failed:encoding")
    client.rpush(keys.job_log(job_id), "It was tried.")
    client.xadd(keys.DEAD, {"kind": "job", "job": job_id, "problem": problem})
    client.xadd(keys.DEAD, {"kind": "message", "queue": "encoding", "raw": "{", "problem": problem})
    times = (now_s - 90, now_s - 90, now_s - 80, now_s - 50)
    for step, outcome, reason in (("plan", "done", ""), ("chunk-1", "failed", "The file is broken.")):
        values = [step, "encoding", "chunk", "encode", 1, outcome, *times, "one", 20.5, 10**8, reason]
        client.rpush(keys.job_attempts(job_id), json.dumps(values))


def sample_the_day(client):
    """Store what an adapter has counted so far."""
    now_s = int(time.time()) // 60 * 60
    for minute in range(100):
        numbers = {"done": minute, "failed": minute // 10, "waiting": minute % 7}
        client.xadd(keys.SAMPLES, numbers, id=f"{(now_s - (200 - minute) * 60) * 1000}-0")


def show(browser, address, *, dark=False, width_px=WIDTH_PX, scripts=True):
    features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width_px, "height": HEIGHT_PX, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    browser.get(address)


def comes(browser, condition, timeout_s=10):
    try:
        return bool(WebDriverWait(browser, timeout_s, 0.1).until(lambda _: condition()))
    except TimeoutException:
        return False


def text_of(browser, place="main"):
    return browser.execute_script("return document.querySelector(arguments[0]).innerText", place)


def complaints(browser):
    return [one["message"] for one in browser.get_log("browser")]


def test_the_page_follows_what_happens_and_a_failed_job_is_run_anew_by_a_click(
    browser, adapter, client, redis_url, command
):
    show(browser, f"{adapter.url}/")
    assert "Nothing waits." in text_of(browser, "#waiting")
    assert "The file is broken." in text_of(browser, "#failed")
    browser.execute_script("window.isTheSame = true")
    command("pause", "all")
    request_encoding(redis_url, 41, "/media/videos/anna/a-new-lecture.mp4")
    assert comes(browser, lambda: "a-new-lecture.mp4" in text_of(browser, "#waiting"))
    assert comes(browser, lambda: "The function encoding is paused" in text_of(browser, "#attention"))
    assert browser.execute_script("return window.isTheSame")
    browser.find_element(By.CSS_SELECTOR, "#failed button").click()
    assert comes(browser, lambda: "No job has failed lately." in text_of(browser, "#failed"))
    assert client.hget(keys.job(JOB), "state") == "queued"
    assert complaints(browser) == []


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_no_fault_on_any_document(browser, adapter, dark, language):
    found = {}
    for place in DOCUMENTS:
        show(browser, f"{adapter.url}{place}{'&' if '?' in place else '?'}lang={language}", dark=dark)
        browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; });")
        browser.execute_script(AXE)
        result = browser.execute_async_script("axe.run(document).then(arguments[0])")
        assert len(result["passes"]) > 15, place
        found[place] = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in result["violations"]]
    assert {place: faults for place, faults in found.items() if faults} == {}


@pytest.mark.slow
def test_axe_finds_no_fault_in_the_login(browser, start):
    guarded = start(PODJOBS_PAGE_TOKEN=TOKEN).wait()
    for place in ("/", "/login"):
        show(browser, f"{guarded.url}{place}")
        browser.execute_script(AXE)
        assert browser.execute_async_script("axe.run(document).then((found) => arguments[0](found.violations))") == []


@pytest.mark.slow
@pytest.mark.parametrize("width_px", [WIDTH_PX, WIDTH_PX // 2, 320])
def test_at_twice_the_size_and_on_a_telephone_nothing_is_beside_the_page(browser, adapter, width_px):
    """A browser that shows a page of 1,280 pixels at 200 % lays it out for 640."""
    wide = {}
    for place in DOCUMENTS:
        show(browser, f"{adapter.url}{place}", width_px=width_px)
        browser.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; });")
        wide[place] = browser.execute_script("return document.documentElement.scrollWidth")
    assert {place: width for place, width in wide.items() if width > width_px} == {}


@pytest.mark.slow
def test_everything_is_reached_and_pressed_by_the_keyboard(browser, adapter, client):
    show(browser, f"{adapter.url}/?lang=en")
    stops = []
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        stop = browser.execute_script(
            "const one = document.activeElement, style = getComputedStyle(one);"
            "return [one.innerText.trim(), style.outlineStyle, one.tagName];"
        )
        if stop[2] == "BODY":
            break
        stops.append(stop)
    texts = [text for text, _, _ in stops]
    assert texts[:4] == ["To the content", "pod-functions", "Overview", "Jobs"]
    assert {"Retry", "Pause", "Drain", "As a table", "Français"} <= set(texts)
    assert [text for text, outline, _ in stops if outline == "none"] == []
    show(browser, f"{adapter.url}/?lang=en")
    for _ in range(texts.index("Retry") + 1):
        browser.switch_to.active_element.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert comes(browser, lambda: client.hget(keys.job(JOB), "state") in AGAIN)


@pytest.mark.slow
def test_what_somebody_uses_stays_as_it_is_while_the_page_is_kept_up_to_date(browser, adapter, client):
    show(browser, f"{adapter.url}/?lang=en")
    browser.execute_script("document.querySelector('#failed button').focus()")
    browser.execute_script("document.querySelector('#day details').open = true")
    fail(client, "another-job")
    assert comes(browser, lambda: "another-" in text_of(browser, "#failed"))
    assert browser.execute_script("return document.activeElement.getAttribute('formaction')").startswith(f"/jobs/{JOB}")
    assert browser.execute_script("return document.querySelector('#day details').open")
    browser.execute_script("getSelection().selectAllChildren(document.querySelector('#failed td'))")
    fail(client, "third-job")
    assert not comes(browser, lambda: "third-jo" in text_of(browser, "#failed"), 5)
    browser.execute_script("getSelection().removeAllRanges()")
    assert comes(browser, lambda: "third-jo" in text_of(browser, "#failed"))


@pytest.mark.slow
def test_without_scripts_a_job_is_found_shown_and_run_anew(browser, adapter, client):
    try:
        show(browser, f"{adapter.url}/", scripts=False)
        browser.find_element(By.CSS_SELECTOR, "#failed th a").click()
        assert "The file is broken." in browser.find_element(By.TAG_NAME, "main").text
        browser.find_element(By.LINK_TEXT, "Jobs").click()
        browser.find_element(By.CSS_SELECTOR, "button[value=retry]").click()
        assert "1 job would be changed" in browser.find_element(By.TAG_NAME, "main").text
        browser.find_element(By.CSS_SELECTOR, "button.first").click()
        assert "1 job was run anew." in browser.find_element(By.TAG_NAME, "main").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert client.hget(keys.job(JOB), "state") in AGAIN


@pytest.mark.slow
def test_the_login_lets_in_who_types_the_token_and_the_browser_obeys_the_policy(browser, start, client):
    guarded = start(PODJOBS_PAGE_TOKEN=TOKEN).wait()
    fail(client, JOB)
    show(browser, f"{guarded.url}/jobs")
    browser.find_element(By.ID, "token").send_keys(TOKEN, Keys.ENTER)
    assert comes(browser, lambda: "The file is broken." in text_of(browser))
    # the language may be read, that the token was shown may not
    assert "podjobs=" not in browser.execute_script("return document.cookie")
    assert any(one["name"] == "podjobs" and one["httpOnly"] for one in browser.get_cookies())
    browser.execute_script(
        "const one = document.createElement('div'); one.innerHTML = '<img src=x onerror=\"window.hasRun = 1\">';"
        "const two = document.createElement('script'); two.textContent = 'window.hasRun = 1';"
        "document.body.append(one, two);"
    )
    time.sleep(0.5)
    assert browser.execute_script("return window.hasRun || 0") == 0
    browser.find_element(By.CSS_SELECTOR, "header button").click()
    assert comes(browser, lambda: browser.find_elements(By.ID, "token"))
