"""The real adapter between a real Redis and a function that does nothing, each a process of its own."""

import contextlib
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from adapter.door.celery_jobs import ENCODING_TASK
from adapter.redis import keys
from local.lambda_service.clients import client_environment, made_up_credentials
from local.transports import Transport
from podjobs.contract.plans import Plan
from support.celery_messages import celery_message
from support.lambda_service import new_lambda_function, new_lambda_service
from support.parts import NOWHERE, new_adapter, new_function, new_worker_pool, running_redis
from support.processes import Program, free_port, wait_for

QUEUE = "encoding"
MEDIA_ROOT = "/media"
FUNCTION_THREADS = 16
SPARE_THREADS = 8
"""Of the function, beside one for each step."""
PUSH_BATCH = 1000


@dataclass(frozen=True)
class Stack:
    """What runs."""

    folder: Path
    redis: Any
    adapter: Program

    def control(self, *, steps: int, hold: bool = False) -> None:
        """Set how many steps the function puts into a plan, and whether it holds them."""
        (self.folder / "steps").write_text(str(steps), encoding="utf-8")
        if hold:
            (self.folder / "hold").touch()
        else:
            (self.folder / "hold").unlink(missing_ok=True)

    def set_plan(self, video_id: int, plan: Plan) -> None:
        """Set what the function replies when it plans a job for that video."""
        (self.folder / f"plan-{video_id}.json").write_text(plan.model_dump_json(), encoding="utf-8")

    def push(self, first_video_id: int, count: int = 1) -> list[str]:
        """Put messages on the queue as Celery does.

        Returns:
            The ids of the jobs.
        """
        job_ids = [str(uuid.uuid4()) for _ in range(count)]
        for start in range(0, count, PUSH_BATCH):
            part = job_ids[start : start + PUSH_BATCH]
            messages = [_message(job_id, first_video_id + start + index) for index, job_id in enumerate(part)]
            self.redis.lpush(QUEUE, *messages)
        return job_ids

    def wait_done(self, job_id: str, timeout_s: float) -> dict[str, str]:
        """Wait for the end of a job and return its record.

        Raises:
            RuntimeError: it failed.
        """
        wait_for(lambda: self.redis.hget(keys.job(job_id), "state") in {"done", "failed", "superseded"}, timeout_s)
        record: dict[str, str] = self.redis.hgetall(keys.job(job_id))
        if record["state"] != "done":
            raise RuntimeError(f"The job ended {record['state']}: {record.get('error')}")
        return record

    def entered(self) -> dict[str, float]:
        """When each step came into the function, seconds since the epoch; by `<job>/<step>`."""
        lines = (self.folder / "entered").read_text(encoding="utf-8").splitlines()
        return {name: float(at) for name, _, at in (line.partition(" ") for line in lines)}


def _message(job_id: str, video_id: int) -> bytes:
    arguments = [video_id, f"{MEDIA_ROOT}/videos/{video_id}.mp4", 0, 0]
    keywords = {"json_dressing": None, "dressing_input": ""}
    return celery_message(ENCODING_TASK, arguments, keywords, message_id=job_id, queue=QUEUE)


@contextlib.contextmanager
def running_stack(  # noqa: PLR0913 - what differs between benchmarks
    folder: Path,
    concurrency: int,
    adapters: int = 1,
    transport: Transport = Transport.HTTP,
    *,
    emulated: bool = True,
    more: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Start everything, and stop it at the end.

    Args:
        folder: for files and logs.
        concurrency: steps each adapter has in the function at once; with RQ there are as many workers, with Lambda
            as many execution environments.
        adapters: how many there are; `Stack.adapter` is the first.
        transport: what carries the steps.
        emulated: with Lambda, whether each environment is a process of its own, in a runtime emulator; or a thread.
        more: settings of the adapters.
    """
    with contextlib.ExitStack() as running:
        redis_port = running.enter_context(running_redis(folder))
        client = running.enter_context(redis.Redis(port=redis_port, decode_responses=True))
        url = f"redis://127.0.0.1:{redis_port}/0"
        function, own = _function(folder, concurrency, transport, url, emulated=emulated)
        settings = (
            {
                "PODJOBS_FUNCTION_URL_ENCODING": f"{transport}:{QUEUE}",
                "PODJOBS_FUNCTION_URL_NOTIFICATION": f"{function.page or NOWHERE}notification",
                "PODJOBS_CONCURRENCY_ENCODING": str(concurrency),
            }
            | own
            | dict(more or {})
        )
        started = [new_adapter(url, settings, folder, f"adapter-{number}") for number in range(adapters)]
        for program in (function, *started):
            running.callback(program.stop)
            program.start()
            program.wait()
        # Called first at the end: what is held could not be stopped in time.
        running.callback((folder / "hold").unlink, missing_ok=True)
        yield Stack(folder, client, started[0])


def _function(
    folder: Path, concurrency: int, transport: Transport, redis_url: str, *, emulated: bool
) -> tuple[Program, dict[str, str]]:
    """The function, not started yet, and the adapter's settings to reach it."""
    main = Path(__file__).parent / "noop_function" / "main.py"
    threads = max(FUNCTION_THREADS, concurrency + SPARE_THREADS)
    settings = {"BENCHMARK_FOLDER": str(folder), "THREADS": str(threads)}
    if transport is Transport.HTTP:
        server = new_function("function", main, settings, folder)
        return server, {"PODJOBS_FUNCTION_URL_ENCODING": f"{server.page}{QUEUE}"}
    if transport is Transport.RQ:
        return new_worker_pool(QUEUE, main, settings, folder, redis_url, concurrency), {}
    if emulated:
        service = new_lambda_service(
            [new_lambda_function(QUEUE, main.parent, settings, concurrency=concurrency)], folder
        )
        return service, service.client_settings
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.invoke_api", "--port", str(port)]
    log, page = folder / "function.log", f"http://127.0.0.1:{port}/"
    return Program("function", argv, settings, log, page), client_environment(made_up_credentials(port))
