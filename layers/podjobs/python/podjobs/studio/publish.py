"""Publishes a composed recording: its log file, then the MP4; or the reason why there is none.

Pod takes the MP4 away as soon as it is told; the log file stays beside the sources, where Pod's own worker left it.
"""

import time

from podjobs.contract.errors import MissingFileError, Problem, StepError
from podjobs.contract.failure_sentences import tell_details, tell_failure
from podjobs.contract.jobs import StudioJob
from podjobs.contract.plans import Result
from podjobs.contract.ports.storage import Storage
from podjobs.media.publication import Publication
from podjobs.studio.context import StudioContext
from podjobs.studio.package import NAME
from podjobs.studio.results import PublishResult
from podjobs.studio.steps import PACKAGE_FOLDER

LOG_CHARS = 64_000
"""Of a log file that is looked into."""


def publish(context: StudioContext) -> Result:
    """Write the log file, and move the MP4 into place; safe to repeat at any point.

    Raises:
        RetryableError: the work file does not exist; or the job has ended or was superseded.
    """
    job, storage = context.job, context.work.storage
    if not storage.has_work(job.id) and (message := _find_published(job, storage)):
        return PublishResult(message=message, published_at=time.time()).reply(("The file was published before.",))
    message = "\n".join(_tell_success(context))
    publication = Publication(storage, job.id)
    storage.write(job.log, _file_content(job, message))
    publication.move(context.work.key(f"{PACKAGE_FOLDER}/{NAME}.mp4"), job.output)
    storage.remove_work(job.id)
    return PublishResult(message=message, published_at=time.time()).reply()


def report_failure(context: StudioContext) -> Result:
    """Write the reason for a failure into the log file, and remove the work files.

    A log file that cannot be written is no reason to leave Pod waiting.
    """
    job, step, work = context.job, context.step, context.work
    problem = step.failure or Problem(title="The job failed.", status=500, detail="No reason was given.")
    said = (
        tell_failure(problem, job.type, work.settings.language),
        tell_details(problem, work.settings.language),
        str(problem.context.get("stderr", "")),
    )
    work.storage.remove_work(job.id)
    try:
        work.storage.write(job.log, _file_content(job, "\n".join(filter(None, said))))
    except StepError as error:
        return Result(log=(f"The failure could not be reported in {work.storage.pod_path(job.log)!r}: {error.detail}",))
    return Result(log=(f"The failure was reported in {work.storage.pod_path(job.log)!r}.",))


def withdraw(context: StudioContext) -> Result:
    """Remove all files of a job whose recording was deleted."""
    job, storage = context.job, context.work.storage
    storage.remove_work(job.id)
    for key in (job.output, job.log):
        storage.delete(key)
    return Result(log=("The recording was deleted; all files of this job were removed.",))


def discard(context: StudioContext) -> Result:
    """Remove the work files of a job that a newer one has superseded."""
    context.work.storage.remove_work(context.job.id)
    return Result(log=("A newer job superseded this one; its work files were removed.",))


def _tell_success(context: StudioContext) -> list[str]:
    """What was read, chosen and made, a sentence a line."""
    recipe, package, rendition = context.recipe, context.package_result, context.recipe.rendition
    path = context.work.storage.pod_path(context.job.output)
    made = (
        f"Composed: {path!r}, {recipe.duration_s:.2f} s, {rendition.width_px} × {rendition.height_px} pixels, "
        f"{package.frames} frames, {package.size_bytes / 1e6:.1f} MB."
    )
    return [*recipe.log, *context.audio_result.notes, *package.notes, made]


def _first_line(job: StudioJob) -> str:
    return f"Studio recording, job {job.id}"


def _file_content(job: StudioJob, message: str) -> bytes:
    return f"{_first_line(job)}, {time.ctime()}\n{message}\n".encode()


def _find_published(job: StudioJob, storage: Storage) -> str:
    """The message of a log file that this job has written; empty: there is none."""
    try:
        with storage.open(job.log) as file:
            first, _, message = file.read(LOG_CHARS).decode("utf-8", "replace").partition("\n")
    except MissingFileError:
        return ""
    return message.strip() if first.startswith(f"{_first_line(job)},") else ""
