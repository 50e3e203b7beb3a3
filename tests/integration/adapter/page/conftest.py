"""The page as browsers see it: its routes with a real Redis behind them, and jobs to look at."""

import re
from contextlib import asynccontextmanager

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from adapter.inspection.dead_letter_reader import DeadLetterReader
from adapter.operation_settings.page import PageSettings
from adapter.page.actions import Actions
from adapter.page.routes import PageRoutes
from adapter.page.views import ViewReader
from adapter.record_settings import RecordSettings
from adapter.redis import keys
from adapter.steering.dead_letters import DeadLetterSteering
from adapter.steering.replay import open_targets
from adapter.steering.steering import Steering
from podjobs.contract.errors import Problem
from support.jobs import encoding_job

LEASE_S = 30
KEY = re.compile(r'name="key" value="([^"]*)"')


class Page:
    """A browser without JavaScript."""

    def __init__(self, client):
        self.client = client
        self.html = ""
        self.answer = None

    async def open(self, place="/", **headers):
        """Returns the status; the document is in `html`."""
        async with self.client.get(place, headers=headers, allow_redirects=False) as answer:
            self.answer, self.html = answer, await answer.text()
        return answer.status

    async def send(self, place, headers=None, **fields):
        """Send a form with the key of the document that was opened last. Returns the status."""
        found = KEY.search(self.html)
        data = {"key": found[1] if found else ""} | fields
        async with self.client.post(place, data=data, headers=headers, allow_redirects=False) as answer:
            self.answer, self.html = answer, await answer.text()
        return answer.status


@pytest.fixture
def open_page(jobs_redis, records, broker, redis_url):
    """Serve the page with some settings."""

    @asynccontextmanager
    async def serve(doors=(), **settings):
        views = ViewReader(jobs_redis, LEASE_S, doors)
        brokers = RecordSettings(encoding_transcoding_celery_broker_url=redis_url)
        targets = open_targets(brokers, records, jobs_redis, lambda _: broker)
        letters = DeadLetterSteering(DeadLetterReader(jobs_redis), targets)
        actions = Actions(jobs_redis, Steering(jobs_redis, records))
        routes = PageRoutes(PageSettings(**settings), views, actions, letters)
        app = web.Application()
        app.add_routes(routes.routes())
        async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
            yield Page(client)
            await routes.close()

    return serve


@pytest.fixture
async def page(open_page):
    """The page without a token."""
    async with open_page() as opened:
        yield opened


@pytest.fixture
def store_job(jobs_redis):
    """Store a job as it looks in some state."""

    async def store(job_id="job-1", state="failed", reason="It is broken.", source="videos/anna/7.mp4", **fields):
        job = encoding_job(job_id, 7, f"/media/{source}")
        record = {"type": "encoding", "target": "7", "params": job.model_dump_json(), "state": state}
        record |= {"weight_total": "4", "weight_done": "1", "accepted_at": "1700000000.5"}
        problem = Problem(title="Broken.", status=422, detail=reason).model_dump_json()
        if state in {"failed", "failing", "cancelled"}:
            record |= {"error": problem}
        elif reason:
            record |= {"trouble": problem}
        if state in {"failed", "cancelled", "done"}:
            record |= {"ended_at": "1700000100.5"}
            await jobs_redis.hincrby(keys.TOTALS, f"{state}:encoding")
        else:
            await jobs_redis.sadd(keys.LIVE, job_id)
        await jobs_redis.hset(keys.job(job_id), mapping=record | fields)
        await jobs_redis.zadd(keys.JOBS, {job_id: float(record["accepted_at"])})
        return job

    return store
