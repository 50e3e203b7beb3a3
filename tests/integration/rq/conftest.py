"""Real RQ workers of a function that does what it is asked, and a delivery to them.

deliver   delivers a step: deliver("sleep", takes_s=1); deliver.notes() is what the function has noted
pool      starts workers: pool(workers=2, host="b")
"""

import asyncio
from itertools import accumulate
from pathlib import Path

import psutil
import pytest
import redis

from adapter.delivery.rq.delivery import RqDelivery
from adapter.redis.connections import open_redis
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from support.jobs import encoding_job
from support.parts import new_worker_pool, running_redis
from support.processes import REPOSITORY
from support.slow_function import endless

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

    def start(workers=1, host="", queue=QUEUE, main=MAIN, **settings):
        given = {"NOTES_DIR": str(notes), "SLOW_HOST": host, "PODJOBS_WORKER_GRACE_S": "1", **settings}
        name = f"pool-{len(started)}"
        made = new_worker_pool(queue, main, given, tmp_path, redis_url, workers, name)
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

    def step(self, action, step_id="one", attempt=1, timeout_s=30, entry_id="1-0", **params):
        job = encoding_job("job-1", 7, "/media/videos/a.mp4")
        return Step(
            function=QUEUE, job=job, step_id=step_id, action=action, params=params, attempt=attempt, accepted_at=0,
            timeout_s=timeout_s, entry_id=entry_id,
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
        return [tuple(path.read_text().split(" ")) for path in self._begun(step_id)]

    def most_at_once(self, host, prefix):
        """How many steps a host has performed at the same time at most, of those that it has ended."""
        turns = []
        for note in self._begun(prefix):
            ended = note.with_name(f"ended-{note.name}")
            if note.read_text().split(" ")[1] == host and ended.exists():
                turns += [(int(note.name.rpartition("-")[2]), 1), (int(ended.read_text()), -1)]
        return max(accumulate(turn for _, turn in sorted(turns)), default=0)

    def _begun(self, prefix):
        return sorted(self._notes.glob(f"{prefix}-*"), key=lambda path: int(path.name.rpartition("-")[2]))

    def commands(self):
        """The commands of steps that run."""
        wanted = endless(self._notes)
        return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == wanted]

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
