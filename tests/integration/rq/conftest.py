"""Real RQ workers of a function that does what it is asked, and a delivery to them.

deliver   delivers a step: deliver("sleep", takes_s=1); deliver.notes() is what the function has noted
pool      starts workers: pool(workers=2, host="b")
"""

import asyncio
import json
from pathlib import Path

import pytest
import redis

from adapter.delivery.rq.delivery import RqDelivery
from adapter.redis.connections import open_redis
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from support.jobs import encoding_job
from support.parts import new_worker_pool, running_redis
from support.processes import REPOSITORY

MAIN = REPOSITORY / "tests" / "support" / "slow_function.py"
QUEUE = "encoding"


@pytest.fixture
def redis_url(tmp_path):
    with running_redis(tmp_path / "redis") as port:
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=True) as connected:
        yield connected


@pytest.fixture
def pool(redis_url, tmp_path):
    started = []
    notes = tmp_path / "notes"
    notes.mkdir()

    def start(workers=1, host="", **settings):
        given = {"NOTES_DIR": str(notes), "SLOW_HOST": host, "PODJOBS_WORKER_GRACE_S": "1", **settings}
        name = f"pool-{len(started)}"
        made = new_worker_pool(QUEUE, MAIN, given, tmp_path, redis_url, workers, name)
        if host:
            made.argv = ["unshare", "--uts", "sh", "-c", f'hostname {host} && exec "$@"', "sh", *made.argv]
        made.start()
        started.append(made)
        made.wait_for(lambda: f'"workers": {workers}' in made.said(), 60)
        return made

    yield start
    for one in started:
        one.kill()


class Deliver:
    """Delivers steps to the workers."""

    def __init__(self, redis_url: str, notes: Path) -> None:
        self._redis_url = redis_url
        self._notes = notes
        self._open = []

    def step(self, action, step_id="one", attempt=1, timeout_s=30, **params):
        job = encoding_job("job-1", 7, "/media/videos/a.mp4")
        return Step(
            function=QUEUE, job=job, step_id=step_id, action=action, params=params, attempt=attempt, accepted_at=0,
            timeout_s=timeout_s,
        )  # fmt: skip

    def delivery(self, adapter_id="adapter-1"):
        made = RqDelivery(f"rq:{QUEUE}", STEPS, adapter_id, 1, open_redis(self._redis_url, text=True))
        self._open.append(made)
        return made

    async def __call__(self, action, **options):
        self._open = self._open or [self.delivery()]
        return await self._open[0].deliver(self.step(action, **options))

    def notes(self, step_id="one"):
        """The process and the host of each time that a step was begun, in order."""
        found = sorted(self._notes.glob(f"{step_id}-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        return [tuple(path.read_text().split(" ")) for path in found]

    async def begun(self, times=1, step_id="one"):
        for _ in range(400):
            if len(self.notes(step_id)) >= times:
                return self.notes(step_id)[-1]
            await asyncio.sleep(0.05)
        raise TimeoutError(f"The step {step_id!r} was not begun {times} times.")

    async def close(self):
        for one in self._open:
            await one.close()


@pytest.fixture
async def deliver(redis_url, tmp_path):
    made = Deliver(redis_url, tmp_path / "notes")
    yield made
    await made.close()


def log_of(pool):
    """A pool's log lines."""
    return [json.loads(line) for line in pool.said().splitlines() if line.startswith("{")]
