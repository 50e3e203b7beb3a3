"""A worker of Pod: the real Celery, with tasks of Pod's names that only note who was asked.

`celery -A support.pod_worker worker -Q encoding` is Pod's own command line, but for the name of the module.
"""

import os
import sys
import time
from pathlib import Path

import redis
from celery import Celery

from adapter.door.celery_jobs import ENCODING_TASK
from adapter.door.statement_intake import STATEMENT_TASK
from support.processes import Program

DONE = "done-by-pod"
"""List of the ids of the tasks that were done, in order."""
BROKER_VARIABLE = "POD_WORKER_BROKER_URL"
WORK_VARIABLE = "POD_WORKER_TASK_S"

app = Celery("encoding_tasks", broker=os.environ.get(BROKER_VARIABLE, ""))
# as in Pod
app.conf.task_routes = {
    "pod.video_encode_transcript.encoding_tasks.*": {"queue": "encoding"},
    "pod.xapi.xapi_tasks.*": {"queue": "xapi"},
}


def _note(task_id: str) -> None:
    time.sleep(float(os.environ.get(WORK_VARIABLE, "0")))
    with redis.Redis.from_url(os.environ[BROKER_VARIABLE]) as client:
        client.rpush(DONE, task_id)


@app.task(bind=True, name=ENCODING_TASK)
def _start_encoding_task(self, video_id, video_path, cut_start=0, cut_end=0, json_dressing=None, dressing_input=""):  # type: ignore[no-untyped-def]
    _note(self.request.id)


@app.task(bind=True, name=STATEMENT_TASK)
def _send_xapi_statement_task(self, statement):  # type: ignore[no-untyped-def]
    _note(self.request.id)


def new_pod_worker(broker_url: str, queue: str, folder: Path, *, task_s: float = 0) -> Program:
    """A worker, not started yet.

    Args:
        broker_url: the Redis with Pod's queues.
        queue: what it reads.
        folder: for its log.
        task_s: how long a task takes.
    """
    argv = [sys.executable, "-m", "celery", "-A", "support.pod_worker", "worker", "-l", "INFO", "-Q", queue]
    # it need not look for other workers first
    argv += ["--concurrency", "1", "-n", queue, "--without-mingle", "--without-gossip"]
    settings = {BROKER_VARIABLE: broker_url, WORK_VARIABLE: str(task_s)}
    return Program(f"worker-{queue}", argv, settings, folder / f"worker-{queue}.log")
