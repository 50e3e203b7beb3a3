"""The commands that request jobs in Pod's place."""

import json
import sys

import click

from adapter.operator.terminal import EXIT_FAILURE, exit_with, run_or_exit
from adapter.operator.watch_command import follow
from adapter.record_settings import RecordSettings
from adapter.redis.connections import open_redis
from adapter.steering.submission import Submission, submit_encoding, submit_transcription
from podjobs.contract.job_states import JobState

_VIDEO = click.argument("video_id", type=click.IntRange(min=0))
_PATH = click.argument("path")
_WAIT = click.option("--wait", is_flag=True, help="Follow the job until it ends; the exit status is that of `watch`.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As one JSON object.")


@click.group()
def submit() -> None:
    """Request a job as Pod does; Pod is told of its result.

    VIDEO_ID is the number of a video that Pod has, PATH the absolute path of the file as the Pod server sees it.
    """


@submit.command()
@_VIDEO
@_PATH
@click.option("--cut", type=(float, float), default=(0, 0), metavar="START END", help="Only this part, in seconds.")
@_WAIT
@_JSON
def encoding(video_id: int, path: str, cut: tuple[float, float], *, wait: bool, as_json: bool) -> None:
    """Encode the file at PATH for the video VIDEO_ID: its renditions in Pod are replaced."""
    _submit(submit_encoding(video_id, _absolute(path), cut), wait=wait, as_json=as_json)


@submit.command()
@_VIDEO
@_PATH
@click.argument("language")
@_WAIT
@_JSON
def transcription(video_id: int, path: str, language: str, *, wait: bool, as_json: bool) -> None:
    """Transcribe the sound at PATH for the video VIDEO_ID. LANGUAGE is a code such as fr, or auto."""
    _submit(submit_transcription(video_id, _absolute(path), language), wait=wait, as_json=as_json)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise click.UsageError("PATH must be absolute, as the Pod server sees it: /…/media/videos/…/lecture.mp4.")
    return path


def _submit(submission: Submission, *, wait: bool, as_json: bool) -> None:
    async def put(settings: RecordSettings) -> None:
        broker = open_redis(settings.queue_url(submission.queue), text=True)
        try:
            await broker.lpush(submission.queue, submission.message)
        finally:
            await broker.aclose()

    run_or_exit(put)
    if as_json:
        click.echo(json.dumps({"id": submission.job_id, "queue": submission.queue}))
    else:
        click.echo(f"The job {submission.job_id} was put on the queue {submission.queue}.")
    if wait:
        ended = follow(submission.job_id, appears=True)
        if ended is None:
            exit_with("No adapter has taken the message: `podjobs status` says why.", EXIT_FAILURE)
        if ended.state != JobState.DONE:
            click.echo(f"The job {ended.id} is {ended.state}. {ended.reason}".rstrip(), err=True)
            sys.exit(EXIT_FAILURE)
