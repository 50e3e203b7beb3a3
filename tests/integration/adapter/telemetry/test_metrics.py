"""/metrics of a real adapter."""

import httpx

from adapter.redis import keys
from local.client import request_encoding
from support.metrics import Samples


def samples(adapter):
    return Samples(adapter.get("metrics").text)


def test_adapter_tells_its_numbers_to_whoever_asks(start, client, redis_url):
    client.xadd(keys.DEAD, {"kind": "statement"})
    adapter = start().wait()
    assert adapter.get("metrics").headers["content-type"].startswith("text/plain; version=")
    request_encoding(redis_url, 7, "/media/7.mp4")  # nobody answers: its first step is on hold
    adapter.wait_for(lambda: samples(adapter).get("podjobs_door_messages_total", queue="encoding", outcome="stored"))
    adapter.wait_for(lambda: "podjobs_jobs_live" in samples(adapter).names)
    adapter.wait_for(lambda: "podjobs_attempt_duration_seconds_count" in samples(adapter).names)
    found = samples(adapter)
    assert found.get("podjobs_redis_up") == 1
    assert found.get("podjobs_adapters", state="running") == 1
    assert found.get("podjobs_dead_letters", kind="statement") == 1
    assert found.get("podjobs_messages_waiting", queue="encoding") == 0
    attempts = {"function": "encoding", "action": "plan", "outcome": "busy"}
    assert found.get("podjobs_attempt_duration_seconds_count", **attempts) >= 1
    jobs = [found.get("podjobs_jobs_live", type="encoding", state=state) or 0 for state in ("running", "waiting")]
    steps = [found.get(f"podjobs_steps_{state}", function="encoding") for state in ("running", "held", "waiting")]
    assert (sum(jobs), sum(steps)) == (1, 1)
    openmetrics = httpx.get(f"{adapter.url}/metrics", headers={"Accept": "application/openmetrics-text"})
    assert openmetrics.text.endswith("# EOF\n")


def test_adapter_without_metrics_has_no_such_page(start):
    adapter = start(PODJOBS_METRICS="false").wait()
    assert adapter.get("metrics").status_code == 404


def test_adapter_whose_redis_is_away_says_so(start):
    adapter = start(ENCODING_TRANSCODING_CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    adapter.wait_for(lambda: "podjobs_redis_errors_total" in samples(adapter).names)
    assert samples(adapter).get("podjobs_redis_up") == 0
