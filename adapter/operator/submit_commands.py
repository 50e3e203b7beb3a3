"""The commands that request jobs in Pod's place."""

import json
import sys
from typing import Any, get_args

import click

from adapter.door.celery_studio import LAYOUT_HELP, LAYOUTS, RecordingRequest
from adapter.media_root_settings import MediaRootSettings
from adapter.operator.terminal import EXIT_FAILURE, EXIT_USAGE, exit_with, run_or_exit, settings_or_exit
from adapter.operator.watch_command import follow
from adapter.record_settings import RecordSettings
from adapter.redis.connections import open_redis
from adapter.steering.media_files import MediaFiles, UnknownFileError
from adapter.steering.submission import Dressing, Submission, submit_encoding, submit_studio, submit_transcription
from podjobs.contract.job_states import JobState
from podjobs.contract.jobs import Layout, Position

_VIDEO = click.argument("video_id", type=click.IntRange(min=0))
_PATH = click.argument("path")
_UNCHECKED = click.option("--unchecked", is_flag=True, help="Do not look whether the files exist.")
_WAIT = click.option("--wait", is_flag=True, help="Follow the job until it ends; the exit status is that of `watch`.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As one JSON object; with --wait, then as `watch --json`.")


@click.group()
def submit() -> None:
    """Request a job as Pod does; Pod is told of its result.

    VIDEO_ID is the number of a video that Pod has. PATH is a file in Pod's media root: its absolute path as the Pod
    server sees it, or its path relative to the media root, such as videos/…/lecture.mp4. So are the other paths.
    """


@submit.command()
@_VIDEO
@_PATH
@click.option("--cut", type=(float, float), default=(0, 0), metavar="START END", help="Only this part, in seconds.")
@click.option("--watermark", metavar="PATH", help="Show this picture in a corner.")
@click.option("--position", type=click.Choice(get_args(Position)), help="Of the watermark.  [default: top_right]")
@click.option("--opacity", type=click.IntRange(0, 100), help="Of the watermark, in percent.  [default: 100]")
@click.option("--opening", metavar="PATH", help="Show this video before it.")
@click.option("--ending", metavar="PATH", help="Show this video after it.")
@_UNCHECKED
@_WAIT
@_JSON
def encoding(video_id: int, path: str, cut: tuple[float, float], *, wait: bool, as_json: bool, **options: Any) -> None:
    """Encode the file at PATH for the video VIDEO_ID: its renditions in Pod are replaced.

    The watermark and the opening and ending credits are a dressing, as Pod sends it: files in the media root, too.
    """
    shown: dict[str, Any] = {name: options[name] for name in ("position", "opacity") if options[name] is not None}
    if shown and options["watermark"] is None:
        raise click.UsageError("--position and --opacity are those of a watermark: add --watermark PATH.")
    files = _Files(unchecked=options["unchecked"])
    shown |= {name: files.key_of(options[name]) for name in ("watermark", "opening", "ending") if options[name]}
    submission = submit_encoding(video_id, files.key_of(path), cut, Dressing(**shown), paths=files.media.paths)
    _submit(submission, wait=wait, as_json=as_json)


@submit.command()
@_VIDEO
@_PATH
@click.argument("language")
@_UNCHECKED
@_WAIT
@_JSON
def transcription(video_id: int, path: str, language: str, *, unchecked: bool, **options: bool) -> None:
    """Transcribe the sound at PATH for the video VIDEO_ID. LANGUAGE is a code such as fr, or auto."""
    files = _Files(unchecked=unchecked)
    _submit(submit_transcription(video_id, files.key_of(path), language, paths=files.media.paths), **options)


@submit.command()
@click.option("--recording", "recording_id", type=click.IntRange(min=0), required=True, help="Its number in Pod.")
@click.option("--presentation", metavar="PATH", help="What was shown: slides, a screen.")
@click.option("--presenter", metavar="PATH", help="Who spoke: a camera.")
@click.option("--layout", type=click.Choice([*LAYOUTS, "alone"]), default="mid", show_default=True, help=LAYOUT_HELP)
@click.option("--start", "start_s", type=click.FloatRange(min=0), default=0.0, help="Leave out what is before, in s.")
@click.option("--end", "end_s", type=click.FloatRange(min=0), help="Leave out what is after, in s.")
@click.option("--output", metavar="PATH", required=True, help="The MP4 to make, which Pod takes away.")
@_UNCHECKED
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
    unchecked: bool,
    **options: bool,
) -> None:
    """Compose a recording of Pod's studio: Pod makes a video of the result and has it encoded."""
    if presentation is None and presenter is None:
        raise click.UsageError("Name a source: --presentation, --presenter, or both.")
    files, result = _Files(unchecked=unchecked), _Files(unchecked=True)
    slides, camera = (None if path is None else files.pod_path(path) for path in (presentation, presenter))
    asked = RecordingRequest(recording_id, result.pod_path(output), slides, camera, layout, start_s, end_s)
    _submit(submit_studio(asked), **options)


class _Files:
    """Finds files in the media root, or ends the process and says why not."""

    def __init__(self, *, unchecked: bool) -> None:
        settings = settings_or_exit(MediaRootSettings)
        self.media = MediaFiles.at(settings.media_root, settings.media_url)
        self._unchecked = unchecked
        if self.media.folder is None and not unchecked:
            click.echo("Whether the files exist was not checked: the media root is not on this machine.", err=True)

    def key_of(self, name: str) -> str:
        try:
            return self.media.key_of(name, unchecked=self._unchecked)
        except UnknownFileError as error:
            exit_with(str(error), EXIT_USAGE)

    def pod_path(self, name: str) -> str:
        return self.media.paths.pod_path(self.key_of(name))


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
        ended = follow(submission.job_id, appears=True, as_json=as_json)
        if ended is None:
            exit_with("No adapter has taken the message: `podjobs status` says why.", EXIT_FAILURE)
        if ended.state != JobState.DONE:
            click.echo(f"The job {ended.id} is {ended.state}. {ended.reason}".rstrip(), err=True)
            sys.exit(EXIT_FAILURE)
