"""The runner API over HTTP, on a real Redis and a real folder of media."""

import httpx
import pytest

from adapter.door.runner.clients import Clients, digest_of
from adapter.door.runner.intake import TaskIntake
from adapter.door.runner.results import Results
from adapter.door.runner.routes import RunnerRoutes
from adapter.operator.http_server import HttpServer
from adapter.runner_settings import RunnerClient
from podjobs.backends.files import FileStorage
from podjobs.contract.plans import Plan, Result
from podjobs.contract.workflows import workflow_of
from support.runner_requests import TOKEN, client_settings

OTHER_TOKEN = "the-token-of-another-client"  # noqa: S105 - of no real client


@pytest.fixture
def media(tmp_path):
    return FileStorage(tmp_path, "/media")


@pytest.fixture
async def api(jobs_redis, records, media, streams):
    """A client of the API that shows the token; `streams` makes the groups of the functions' streams."""
    other = client_settings(token_sha256=digest_of(OTHER_TOKEN))
    clients = {"pod": client_settings(), "other": other}
    results = Results(media)
    routes = RunnerRoutes(
        Clients({name: RunnerClient.model_validate(one) for name, one in clients.items()}),
        TaskIntake(records, {"encoding", "notification"}),
        jobs_redis,
        records,
        results,
    )
    routes.root = "/runner"
    routes.page_port = 8090
    server = HttpServer([routes])
    port = await server.start("127.0.0.1", 0)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/runner", headers=headers) as client:
        yield client
    await server.stop()
    results.close()


@pytest.fixture
def submit(api):
    """Hand a task over; returns its id."""

    async def send(task, token=TOKEN):
        answer = await api.post("/task/execute", json=task, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["status"]) == (200, "running"), answer.text
        return answer.json()["task_id"]

    return send


@pytest.fixture
def perform(take, records, jobs_redis):
    """Perform the steps of a job up to the stage in which its client is notified; returns that step."""

    async def run_to_notification():
        (fetch,) = await take("encoding")
        await records.join([fetch])
        job = await records.job(fetch.job_id)
        await records.commit(fetch, Plan(stages=(workflow_of(job).first_stage,)))
        (plan,) = await take("encoding")
        await records.commit(plan, Plan(stages=(workflow_of(job).notification_stage,)))
        (notify,) = await take("notification")
        return notify

    return run_to_notification


@pytest.fixture
def finish(perform, records):
    async def run():
        await records.commit(await perform(), Result())

    return run
