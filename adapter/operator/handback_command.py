"""The commands that hand Pod's queues back to its own workers, and take them over again (adapter/door/handback.py)."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

import click

from adapter.door.celery_jobs import ENCODING_TASK, TRANSCRIPTION_TASK
from adapter.door.handback import Handback, Returned
from adapter.door.queue_share import QueueShare, QueueState
from adapter.door.statement_intake import STATEMENT_TASK
from adapter.operator.terminal import EXIT_FAILURE, EXIT_USAGE, exit_with, run_or_exit
from adapter.record_settings import RecordSettings
from adapter.redis import keys
from adapter.redis.connections import RedisClient, open_redis
from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.workflows import ENCODING, WORKFLOWS, XAPI

POLL_S = 0.5
TRANSCRIPTING = WORKFLOWS["transcription"].function.queue
TASKS = {ENCODING.queue: ENCODING_TASK, TRANSCRIPTING: TRANSCRIPTION_TASK, XAPI.queue: STATEMENT_TASK}
"""Pod's queues, each with one of its tasks."""
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object per line, for each queue.")
QUEUE_OF_TYPE = {
    workflow.type: workflow.function.queue for workflow in WORKFLOWS.values() if workflow.job is not RecoveryJob
}


def worker_command(queue: str, reads: str) -> str:
    """The command line of Pod's own worker.

    Args:
        queue: whose tasks it does.
        reads: the queue that it reads.

    Source: Pod's installation pages, «remote encoding»; dockerfile-dev-with-volumes/pod-encode in its repository.
    """
    module = TASKS[queue].rpartition(".")[0]
    return f"celery -A {module} worker -l INFO -Q {reads} --concurrency 1 -n {queue}"


@click.command()
@click.argument("queues", type=click.Choice(list(TASKS)), nargs=-1)
@click.option("--all", "all_queues", is_flag=True, help="All of Pod's queues.")
@click.option("--wait", "wait_s", type=click.IntRange(min=0), default=0, help="Seconds to wait for what is accepted.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what there is.")
@_JSON
def handback(queues: tuple[str, ...], wait_s: int, *, all_queues: bool, dry_run: bool, as_json: bool) -> None:
    """Hand QUEUES back to Pod's own workers, losing nothing.

    Adapters stop reading them, until `takeover`; what was left to Pod's workers and not taken yet is on Pod's queue
    again. Jobs and statements that were accepted are finished here: start Pod's workers after --wait, lest one of them
    does a newer request for a video that is still in work here. The exit status is 1 if something is left to do.
    """
    chosen = _chosen(queues, all_queues=all_queues)
    problems = run_or_exit(_each(chosen, _preview if dry_run else _hand_back, as_json=as_json))
    if wait_s and not dry_run:
        problems += run_or_exit(_each(chosen, _finish_by(time.monotonic() + wait_s), as_json=as_json))
    if problems:
        exit_with("\n".join(problems), EXIT_FAILURE)


@click.command()
@click.argument("queues", type=click.Choice(list(TASKS)), nargs=-1)
@click.option("--all", "all_queues", is_flag=True, help="All of Pod's queues.")
@_JSON
def takeover(queues: tuple[str, ...], *, all_queues: bool, as_json: bool) -> None:
    """Let the adapters read QUEUES again that were handed back."""
    run_or_exit(_each(_chosen(queues, all_queues=all_queues), _take_over, as_json=as_json))


def _chosen(queues: Sequence[str], *, all_queues: bool) -> list[str]:
    if bool(queues) == all_queues:
        exit_with(f"Name the queues ({', '.join(TASKS)}), or say --all.", EXIT_USAGE)
    return list(TASKS) if all_queues else list(dict.fromkeys(queues))


class _Queue:
    """One of Pod's queues, with all that is known of its messages."""

    def __init__(self, name: str, broker: RedisClient, jobs: RedisClient, settings: RecordSettings) -> None:
        self.name = name
        self.share = QueueShare(name, broker)
        self.handback = Handback(name, broker, jobs, settings.podjobs_lease_s, in_cluster=settings.jobs_in_cluster)
        self._jobs = jobs

    async def accepted(self) -> int:
        """Count the jobs or statements that were accepted and are not finished."""
        if self.name == XAPI.queue:
            return int(await self._jobs.xlen(keys.STATEMENTS))
        types = [await self._jobs.hget(keys.job(job_id), "type") for job_id in await self._jobs.smembers(keys.LIVE)]
        return sum(QUEUE_OF_TYPE.get(type_) == self.name for type_ in types)


@dataclass(frozen=True, slots=True)
class _Report:
    """What was done with a queue."""

    said: str
    """For people; empty: nothing."""
    fields: dict[str, object]
    """For programs."""
    left: str = ""
    """What is left to do; empty: nothing."""


Work = Callable[[_Queue], Awaitable[_Report]]
"""Does something with a queue."""


def _each(queues: Sequence[str], work: Work, *, as_json: bool) -> Callable[[RecordSettings], Awaitable[list[str]]]:
    """Work on one queue after the other, and print each report; returns what is left to do."""

    async def run(settings: RecordSettings) -> list[str]:
        left = []
        for queue in queues:
            report = await _open_and(work, queue, settings)
            if as_json:
                click.echo(json.dumps({"queue": queue, **report.fields, "problem": report.left}))
            elif report.said:
                click.echo(report.said)
            if report.left:
                left.append(report.left)
        return left

    return run


async def _open_and(work: Work, queue: str, settings: RecordSettings) -> _Report:
    broker = open_redis(settings.queue_url(queue), text=False)
    jobs = open_redis(settings.jobs_url, text=True)
    try:
        return await work(_Queue(queue, broker, jobs, settings))
    finally:
        await broker.aclose()
        await jobs.aclose()


async def _preview(queue: _Queue) -> _Report:
    state, in_hand, accepted = await queue.share.state(), await queue.handback.in_hand(), await queue.accepted()
    said = [
        f"{queue.name}: it would be handed back. Nothing was changed.",
        f"  Messages on the queue: {state.waiting}.",
        f"  Messages on {keys.left_to_pod(queue.name)}, which would go back to it: {state.waiting_for_pod}.",
        f"  Messages that adapters are storing: {in_hand}.",
        f"  {_accepted(queue.name, accepted)}",
    ]
    counts = {"waiting": state.waiting, "left_to_pod": state.waiting_for_pod, "in_hand": in_hand, "accepted": accepted}
    return _Report("\n".join(said), {"would": "handed back", **counts})


async def _hand_back(queue: _Queue) -> _Report:
    returned = await queue.handback.run()
    state, accepted = await queue.share.state(), await queue.accepted()
    left = ""
    if returned.in_hand:
        left = (
            f"{queue.name}: messages that an adapter which lives has not stored yet: {returned.in_hand}. Its log says "
            "why; once that is settled, it stores them by itself. Run this command again to see."
        )
    fields = {"waiting": state.waiting, "accepted": accepted, "worker": worker_command(queue.name, queue.name)}
    return _Report(
        _say_returned(state, returned, accepted), {"done": "handed back", **asdict(returned), **fields}, left
    )


def _finish_by(end_s: float) -> Work:
    """Wait until all that is accepted is finished, or until then by the monotonic clock."""

    async def wait(queue: _Queue) -> _Report:
        while left := await queue.accepted():
            if time.monotonic() >= end_s:
                unfinished = (
                    f"{queue.name}: accepted and not finished yet: {left}. They go on; run this command again to wait."
                )
                return _Report("", {"accepted": left}, unfinished)
            await asyncio.sleep(POLL_S)
        return _Report(f"{queue.name}: all that was accepted is finished.", {"accepted": 0})

    return wait


async def _take_over(queue: _Queue) -> _Report:
    if not await queue.share.take_over():
        return _Report(f"{queue.name}: it was not handed back.", {"done": "nothing"})
    worker = worker_command(queue.name, keys.left_to_pod(queue.name))
    said = (
        f"{queue.name}: the adapters read it again. Stop Pod's worker of it, or it takes messages, too. With a "
        f"PODJOBS_SHARE below 100, start one for the rest:\n    {worker}"
    )
    return _Report(said, {"done": "taken over", "worker_for_the_rest": worker})


def _say_returned(state: QueueState, returned: Returned, accepted: int) -> str:
    queue, left = state.queue, keys.left_to_pod(state.queue)
    gone = f" and {returned.from_gone} from adapters that are gone" if returned.from_gone else ""
    sentences = [
        f"{queue}: no adapter reads it any more.",
        f"  Messages on the queue, for Pod's workers: {state.waiting}.",
        f"  Of these, back on it: {returned.from_left} from {left}{gone}.",
        f"  {_accepted(queue, accepted)}",
        f"  Start Pod's worker, in the place of one with -Q {left}:",
        f"    {worker_command(queue, queue)}",
        f"  `podjobs takeover {queue}` begins again.",
    ]
    return "\n".join(sentences)


def _accepted(queue: str, accepted: int) -> str:
    what = "Statements" if queue == XAPI.queue else "Jobs"
    until = " Keep the adapter and the functions running until then." if accepted else ""
    return f"{what} that are accepted and will be finished here: {accepted}.{until}"
