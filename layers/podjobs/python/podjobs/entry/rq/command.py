"""The command that starts a server's workers: `python -m podjobs.entry.rq --source functions/encoding/main.py`."""

import os
import sys
from pathlib import Path

import click
import structlog

from podjobs.contract.redaction import redact
from podjobs.contract.rq_jobs import QUEUE
from podjobs.entry.rq.pool import FunctionPool, PoolPlan, wait_for_redis
from podjobs.entry.rq.settings import WorkerSettings
from podjobs.entry.rq.start_check import check_function
from podjobs.logs import configure_logs
from podjobs.settings import SettingsError, load_settings

logger = structlog.get_logger(__name__)

RQ_LEVEL = "WARNING"
"""Of RQ's own log lines: ours say the rest."""
OF_WORKERS = frozenset({
    "PODJOBS_RQ_URL", "PODJOBS_REDIS_URL", "ENCODING_TRANSCODING_CELERY_BROKER_URL", "XAPI_CELERY_BROKER_URL",
})  # fmt: skip
"""What a horse is not given: functions do not know Redis."""


def _queue_name(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and not QUEUE.fullmatch(name):
        raise click.BadParameter("must consist of letters, digits, dashes and underscores")
    return name


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--source",
    type=click.Path(path_type=Path, dir_okay=False, resolve_path=True),
    required=True,
    help="The function's main.py.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    help="Workers of this server; each performs one step at a time.  [default: as many as the function has slots; "
    "transcription: 1]",
)
@click.option("--queue", callback=_queue_name, help="RQ queue to pull from.  [default: the function's name]")
def workers(source: Path, concurrency: int | None, queue: str | None) -> None:
    """Perform steps of a function on this server until SIGTERM."""
    try:
        settings = load_settings(WorkerSettings)
    except SettingsError as error:
        sys.exit(f"The worker cannot start. {error}")
    configure_logs("worker", settings.podjobs_log_level)
    facts = check_function(source)
    count = concurrency or facts.workers
    memory_mb = settings.podjobs_worker_memory_mb
    memory_bytes = (facts.memory_mb if memory_mb is None else memory_mb) << 20
    environment = {name: value for name, value in os.environ.items() if name not in OF_WORKERS}
    # together they are one function with so many slots: each uses its share of the processors
    environment[f"PODJOBS_{facts.name.upper()}_SLOTS"] = str(count)
    plan = PoolPlan(
        source, queue or facts.name, count, settings.rq_url, environment, settings.podjobs_worker_grace_s, memory_bytes
    )
    wait_for_redis(plan)
    logger.info("The workers start.", queue=plan.queue, workers=count, redis=redact(plan.redis_url))
    FunctionPool(plan).serve(RQ_LEVEL)
    logger.info("The workers have stopped.", queue=plan.queue)
