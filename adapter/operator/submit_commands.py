"""The commands that request jobs in Pod's place."""

import json
import sys

import click

from adapter.door.celery_studio import LAYOUT_HELP, LAYOUTS, RecordingRequest
from adapter.operator.terminal import EXIT_FAILURE, exit_with, run_or_exit
from adapter.operator.watch_command import follow
from adapter.record_settings import RecordSettings
from adapter.redis.connections import open_redis
from adapter.steering.submission import Submission, submit_encoding, submit_studio, submit_transcription
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Layout

_VIDEO = click.argument("video_id", type=click.IntRange(min=0))
_PATH = click.argument("path")
_WAIT = click.option("--wait", is_flag=True, help="Follow the job until it ends; the exit status is that of `watch`.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As one JSON object.")


@click.group()
def submit() -> None:
    """Request a job as Pod does; Pod is told of its result.

    VIDEO_ID is the number of a video that Pod has, PATH the absolute path of the file as the Pod server sees it.
    So are the other paths.
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


@submit.command()
@click.option("--recording", "recording_id", type=click.IntRange(min=0), required=True, help="Its number in Pod.")
@click.option("--presentation", metavar="PATH", help="What was shown: slides, a screen.")
@click.option("--presenter", metavar="PATH", help="Who spoke: a camera.")
@click.option("--layout", type=click.Choice([*LAYOUTS, "alone"]), default="mid", show_default=True, help=LAYOUT_HELP)
@click.option("--start", "start_s", type=click.FloatRange(min=0), default=0.0, help="Leave out what is before, in s.")
@click.option("--end", "end_s", type=click.FloatRange(min=0), help="Leave out what is after, in s.")
@click.option("--output", metavar="PATH", required=True, help="The MP4 to make, which Pod takes away.")
@_WAIT
@_JSON
def studio(  # noqa: PLR0913 - one for each option
    *,
    recording_id: int,
    presentation: str | None,
    presenter: str | None,
    layout: Layout,
    start_s: float,
    end_s: float | None,
    output: str,
    wait: bool,
    as_json: bool,
) -> None:
    """Compose a recording of Pod's studio: Pod makes a video of the result and has it encoded."""
    if presentation is None and presenter is None:
        raise click.UsageError("Name a source: --presentation, --presenter, or both.")
    slides, camera = (None if path is None else _absolute(path) for path in (presentation, presenter))
    asked = RecordingRequest(recording_id, _absolute(output), slides, camera, layout, start_s, end_s)
    _submit(submit_studio(asked), wait=wait, as_json=as_json)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise click.UsageError(f"{path!r} must be absolute, as the Pod server sees it: /…/media/videos/…/lecture.mp4.")
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
