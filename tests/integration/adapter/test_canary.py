"""The canary and the way back with real processes: adapters that are killed, and Pod's own Celery workers."""

import json
import threading
import time
import uuid

import pytest

from adapter.door.statement_intake import STATEMENT_TASK
from adapter.redis import keys
from support.celery_messages import celery_message
from support.jobs import encoding_message
from support.parts import NOWHERE
from support.pod_worker import DONE, new_pod_worker
from support.processes import wait_for

pytestmark = pytest.mark.slow

QUEUE = "encoding"
LEFT = keys.left_to_pod(QUEUE)
NUMBER = 100
ALL = [f"job-{number}" for number in range(NUMBER)]


@pytest.fixture
def start_worker(redis_url, tmp_path):
    started = []

    def start_one(queue, task_s=0.0):
        worker = new_pod_worker(redis_url, queue, tmp_path, task_s=task_s)
        worker.start()
        started.append(worker)
        return worker

    yield start_one
    for worker in started:
        worker.kill()


@pytest.fixture
def sending(client):
    """Send all requests, as Pod does in some seconds, in a thread."""

    def send():
        for number, job_id in enumerate(ALL):
            client.lpush(QUEUE, encoding_message(job_id, number))
            time.sleep(0.05)

    thread = threading.Thread(target=send)
    thread.start()
    yield thread
    thread.join()


@pytest.fixture
def ours(client):
    return lambda: client.zrange(keys.JOBS, 0, -1)


@pytest.fixture
def pods(client):
    return lambda: client.lrange(DONE, 0, -1)


@pytest.fixture
def wait_all(client, ours, pods):
    def wait():
        def explain():
            return f"ours: {ours()}\nPod's: {pods()}\nkeys: {client.keys('*encoding*')}"

        wait_for(lambda: len(ours()) + len(pods()) >= NUMBER and not client.exists("unacked"), 60, explain)

    return wait


def sent(client, number):
    """Whether so many requests have been decided."""
    return lambda: int(client.hget(keys.share(QUEUE), "counted") or 0) >= number


def test_share_is_exact_and_keeps_the_order_although_adapters_are_killed(
    start, start_worker, client, ours, pods, sending, wait_all
):
    start_worker(LEFT)
    adapters = [start(PODJOBS_SHARE="10") for _ in range(2)]
    for number in (20, 40, 60):
        adapters[0].wait_for(sent(client, number), 30)
        adapters.pop(0).kill()
        adapters.append(start(PODJOBS_SHARE="10"))
    sending.join()
    wait_all()
    assert sorted(ours()) == sorted(ALL[9::10])
    assert pods() == [job_id for number, job_id in enumerate(ALL) if number % 10 != 9]


@pytest.mark.parametrize("survivors", [1, 0])
def test_handback_in_the_middle_has_every_request_done_once_by_either_side(
    start, start_worker, command, client, ours, pods, sending, wait_all, survivors
):
    canary = start_worker(LEFT, task_s=0.05)
    adapters = [start(PODJOBS_SHARE="50") for _ in range(2)]
    adapters[0].wait_for(sent(client, 40), 30)
    for adapter in adapters[survivors:]:
        adapter.kill()
    done = command("handback", QUEUE)
    assert done.returncode == 0, done.stderr
    taken = ours()
    # what it has fetched and not begun goes back to Pod's queue
    assert canary.stop(timeout_s=10) == 0
    start_worker(QUEUE)
    sending.join()
    wait_all()
    assert sorted(ours() + pods()) == sorted(ALL)
    assert ours() == taken
    assert not client.exists(QUEUE, LEFT)


def test_share_of_statements_has_its_own_setting_and_is_counted_one_by_one(start, start_worker, client, pods):
    start_worker("xapi-pod")
    start(PODJOBS_FUNCTION_URL_XAPI=NOWHERE, PODJOBS_SHARE="50", PODJOBS_SHARE_XAPI="10")
    for number in range(NUMBER):
        statement = {"id": str(uuid.UUID(int=number)), "actor": {"name": "7"}}
        client.lpush("xapi", celery_message(STATEMENT_TASK, [statement], message_id=f"s-{number}", queue="xapi"))
    wait_for(lambda: client.xlen(keys.STATEMENTS) + len(pods()) >= NUMBER and not client.exists("unacked"), 30)
    held = [json.loads(entry["statement"])["id"] for _, entry in client.xrange(keys.STATEMENTS)]
    assert held == [str(uuid.UUID(int=number)) for number in range(9, NUMBER, 10)]
    assert pods() == [f"s-{number}" for number in range(NUMBER) if number % 10 != 9]
