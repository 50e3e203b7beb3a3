"""The real adapter while the password of its Redis is rotated: whatever was accepted ends, before and after."""

import json
import random
import time
from uuid import UUID

import pytest

from adapter.door.celery_jobs import ENCODING_TASK
from adapter.redis import keys
from podjobs.redis_connections import open_redis_sync
from support.campaign_functions import CampaignFunctions, serving_functions
from support.campaign_ledger import ENDED
from support.campaign_stack import SETTINGS
from support.celery_messages import celery_message
from support.parts import new_adapter
from support.redis_servers import new_server

pytestmark = pytest.mark.slow

JOBS = 20
ALL_END_LIMIT_S = 60
GONE_WRONG = ("Internal error in the adapter", "never retrieved", "Traceback")
BROKER, JOBS_URL = "ENCODING_TRANSCODING_CELERY_BROKER_URL", "PODJOBS_REDIS_URL"
OLD, NEW = "old-password", "new-password"


def urls(port, password):
    return {BROKER: f"redis://:{password}@127.0.0.1:{port}/7", JOBS_URL: f"redis://:{password}@127.0.0.1:{port}/8"}


def send(broker, chance):
    """Put messages on Pod's queue; returns their jobs."""
    sent = []
    for _ in range(JOBS):
        job_id, video_id = str(UUID(int=chance.getrandbits(128))), chance.getrandbits(30)
        arguments = [video_id, f"/media/videos/{video_id}/v.mp4", 0, 0]
        broker.lpush("encoding", celery_message(ENCODING_TASK, arguments, message_id=job_id, queue="encoding"))
        sent.append(job_id)
    return sent


@pytest.mark.parametrize("secret_is_late_s", [0, 3])
def test_adapter_ends_every_job_while_its_password_is_rotated(tmp_path, secret_is_late_s):
    functions = CampaignFunctions(seed=7)
    chance = random.Random(7)
    secret = tmp_path / "podjobs.json"
    server = new_server(tmp_path, "redis", "--requirepass", OLD)
    server.url = urls(server.port, OLD)[JOBS_URL]
    server.start()
    server.wait_for(server.answers)
    secret.write_text(json.dumps(urls(server.port, OLD)))
    with serving_functions(functions) as functions_urls:
        adapter = new_adapter("", {**SETTINGS, **functions_urls, "PODJOBS_SECRETS": f"file://{secret}"}, tmp_path)
        adapter.start()
        try:
            adapter.wait()
            given = urls(server.port, OLD)
            with open_redis_sync(given[BROKER]) as broker, open_redis_sync(given[JOBS_URL], text=True) as records:
                jobs = send(broker, chance)
                adapter.wait_for(lambda: any(records.hget(keys.job(job), "state") in ENDED for job in jobs))
                records.config_set("requirepass", NEW)
                records.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            time.sleep(secret_is_late_s)
            given = urls(server.port, NEW)
            secret.write_text(json.dumps(given))
            with open_redis_sync(given[BROKER]) as broker, open_redis_sync(given[JOBS_URL], text=True) as records:
                jobs += send(broker, chance)
                adapter.wait_for(
                    lambda: all(records.hget(keys.job(job), "state") in ENDED for job in jobs), ALL_END_LIMIT_S
                )
                adapter.wait_for(lambda: not broker.keys("encoding*"))
            assert all(functions.notified[job] for job in jobs)
            (state,) = adapter.get("status").json()["secrets"]
            assert (state["secret"], state["fault"]) == (f"secret file '{secret}'", "")
            said = adapter.said()
            assert [line for line in (*GONE_WRONG, OLD, NEW) if line in said] == []
            adapter.wait()
            assert adapter.stop() == 0
        finally:
            adapter.kill()
            server.kill()
