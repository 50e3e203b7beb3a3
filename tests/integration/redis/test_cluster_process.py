"""The real adapter with its jobs in a real cluster: nodes are killed and the slot is moved while jobs run."""

import contextlib
import random
import subprocess
import sys
import time
from collections import Counter
from uuid import UUID

import pytest

from adapter.door.celery_jobs import ENCODING_TASK
from adapter.redis import keys
from adapter.redis_retry import is_transient
from podjobs.redis_connections import open_redis_sync
from support.campaign_functions import CampaignFunctions, serving_functions
from support.campaign_ledger import ENDED
from support.campaign_stack import SETTINGS
from support.celery_messages import celery_message
from support.parts import new_adapter, running_redis
from support.processes import REPOSITORY, environment_with
from support.redis_cluster import running_redis_cluster

pytestmark = pytest.mark.slow

ALL_END_LIMIT_S = 90
GONE_WRONG = ("Internal error in the adapter", "never retrieved", "Traceback")


class Jobs:
    """Jobs that are requested from an adapter, and what has become of them."""

    def __init__(self, cluster, broker, functions):
        self.cluster, self.broker, self.functions = cluster, broker, functions
        self.chance = random.Random(11)
        self.ids = []

    def send(self, count):
        for _ in range(count):
            job_id, video_id = str(UUID(int=self.chance.getrandbits(128))), self.chance.getrandbits(30)
            arguments = [video_id, f"/media/videos/{video_id}/v.mp4", 0, 0]
            message = celery_message(ENCODING_TASK, arguments, message_id=job_id, queue="encoding")
            self.broker.lpush("encoding", message)
            self.ids.append(job_id)

    def ended(self):
        with self.cluster.client() as client:
            return sum(client.hget(keys.job(job_id), "state") in ENDED for job_id in self.ids)

    def all_ended(self):
        try:
            return self.ended() == len(self.ids)
        except Exception as error:
            if not is_transient(error):
                raise
            return False

    def committed_twice(self):
        with self.cluster.client() as client:
            logs = {job_id: client.lrange(keys.job_log(job_id), 0, -1) for job_id in self.ids}
        assert any(logs.values())
        return [
            (job_id, line)
            for job_id, lines in logs.items()
            for line, count in Counter(lines).items()
            if line.startswith("Committed") and count > 1
        ]


@pytest.fixture
def stack(tmp_path):
    functions = CampaignFunctions(seed=7)
    with contextlib.ExitStack() as running:
        cluster = running.enter_context(running_redis_cluster(tmp_path / "cluster", replicas=1))
        broker_url = f"redis://127.0.0.1:{running.enter_context(running_redis(tmp_path / 'broker'))}/0"
        broker = running.enter_context(open_redis_sync(broker_url, text=True))
        urls = running.enter_context(serving_functions(functions))
        settings = {**SETTINGS, **urls, "PODJOBS_REDIS_URL": cluster.url}
        adapters = [new_adapter(broker_url, settings, tmp_path, f"adapter-{number}") for number in range(2)]
        for adapter in adapters:
            running.callback(adapter.kill)
            adapter.start()
        for adapter in adapters:
            adapter.wait()
        yield Jobs(cluster, broker, functions), adapters


def all_went_well(jobs, adapters):
    adapters[0].wait_for(jobs.all_ended, ALL_END_LIMIT_S)
    adapters[0].wait_for(lambda: not jobs.broker.keys("encoding*"))
    assert all(jobs.functions.notified[job_id] for job_id in jobs.ids)
    assert jobs.committed_twice() == []
    assert [line for adapter in adapters for line in GONE_WRONG if line in adapter.said()] == []
    for adapter in adapters:
        adapter.wait()


def test_adapters_end_all_jobs_once_while_the_slot_is_moved_from_node_to_node(stack):
    jobs, adapters = stack
    jobs.send(60)
    moves = 0
    adapters[0].wait_for(lambda: jobs.ended() > 2)
    while jobs.ended() < 50 and moves < 8:
        target = jobs.cluster.other()
        jobs.cluster.begin_move(target)
        while jobs.cluster.move_keys(target, count=20):
            time.sleep(0.02)
        jobs.cluster.end_move(target)
        moves += 1
        time.sleep(0.5)
    assert moves >= 3
    all_went_well(jobs, adapters)
    assert any("moves the jobs' keys to another node" in adapter.said() for adapter in adapters)


def test_adapters_end_all_jobs_that_a_replica_has_when_the_owner_is_killed(stack):
    jobs, adapters = stack
    jobs.send(30)
    adapters[0].wait_for(lambda: jobs.ended() > 2)
    adapters[0].wait_for(lambda: not jobs.broker.keys("encoding*"))
    jobs.cluster.owner().call("WAIT", 1, 5000)  # what a replica has is not lost with the owner
    jobs.cluster.kill_owner()
    jobs.send(30)
    all_went_well(jobs, adapters)


def test_operators_see_jobs_that_are_in_a_cluster(stack):
    jobs, (adapter, _) = stack
    jobs.send(2)
    all_went_well(jobs, [adapter])
    assert adapter.get("status").json()["redis"] == "ok"

    def said(*command):
        argv = [sys.executable, "-m", "adapter", *command]
        environment = environment_with(adapter.settings | {"COLUMNS": "200"})
        return subprocess.run(argv, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout

    assert all(job_id in said("jobs") for job_id in jobs.ids)
    assert jobs.ids[0] in said("job", jobs.ids[0])
    (line,) = [line for line in said("check").splitlines() if line.startswith("  jobs ")]
    assert line.split()[1] == "ok"
