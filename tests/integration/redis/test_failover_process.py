"""The real adapter while Sentinel replaces its Redis: whatever was accepted ends, before and after."""

import random
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
from support.redis_servers import running_cluster

pytestmark = pytest.mark.slow

JOBS = 30
ALL_END_LIMIT_S = 60
GONE_WRONG = ("Internal error in the adapter", "never retrieved", "Traceback")


@pytest.mark.parametrize("over_tls", [False, True])
def test_adapter_ends_every_job_that_was_accepted_before_and_after_a_failover(tmp_path, over_tls):
    functions = CampaignFunctions(seed=7)
    chance = random.Random(7)
    with (
        running_cluster(tmp_path / "redis", over_tls=over_tls) as cluster,
        serving_functions(functions) as urls,
        open_redis_sync(cluster.url, text=True, retries=12, longest_wait_s=8) as client,
    ):
        adapter = new_adapter(cluster.url, {**SETTINGS, **urls}, tmp_path)
        adapter.start()
        try:
            adapter.wait()
            jobs = _send(client, chance)
            client.execute_command("WAIT", 1, 5000)  # what a replica has is not lost with the master
            adapter.wait_for(lambda: any(client.hget(keys.job(job), "state") in ENDED for job in jobs))
            cluster.replace_master()  # in the midst of the others
            jobs += _send(client, chance)
            adapter.wait_for(lambda: all(client.hget(keys.job(job), "state") in ENDED for job in jobs), ALL_END_LIMIT_S)
            adapter.wait_for(lambda: not client.keys("encoding*"))
            assert all(functions.notified[job] for job in jobs)
            assert [line for line in GONE_WRONG if line in adapter.said()] == []
            adapter.wait()
        finally:
            adapter.kill()


def _send(client, chance):
    """Put messages on Pod's queue; returns their jobs."""
    sent = []
    for _ in range(JOBS):
        job_id, video_id = str(UUID(int=chance.getrandbits(128))), chance.getrandbits(30)
        arguments = [video_id, f"/media/videos/{video_id}/v.mp4", 0, 0]
        client.lpush("encoding", celery_message(ENCODING_TASK, arguments, message_id=job_id, queue="encoding"))
        sent.append(job_id)
    return sent
