"""Publishes a composed recording: its log file, then the MP4; or the reason why there is none.

Pod takes the MP4 away as soon as it is told; the log file stays beside the sources, where Pod's own worker left it.
"""

import posixpath
import time

from podjobs.contract.errors import MissingFileError, Problem, StepError
from podjobs.contract.failure_sentences import tell_details, tell_failure
from podjobs.contract.jobs import EncodingJob, StudioJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.storage import Storage
from podjobs.contract.workflows import workflow_of
from podjobs.encoding.steps import AUDIO_FOLDER, chunk_id
from podjobs.media.fetched import remove_fetched
from podjobs.media.publication import Publication
from podjobs.studio.context import StudioContext
from podjobs.studio.package import NAME
from podjobs.studio.results import PublishResult
from podjobs.studio.steps import PACKAGE_FOLDER, TRACK

LOG_CHARS = 64_000
"""Of a log file that is looked into."""


def publish(context: StudioContext) -> Plan | Result:
    """Write the log file, and move the MP4 into place; safe to repeat at any point.

    Returns:
        A result; or, if its sender wants the recording encoded, the plan of that.

    Raises:
        RetryableError: the work file does not exist; or the job has ended or was superseded.
    """
    job, storage = context.job, context.work.storage
    if not storage.has_work(job.id) and (message := _find_published(job, storage)):
        if job.mediapackage is not None:
            return _go_on(context, message)
        return PublishResult(message=message, published_at=time.time()).reply(("The file was published before.",))
    message = "\n".join(_tell_success(context))
    publication = Publication(storage, job.id)
    storage.write(job.log, _file_content(job, message))
    publication.move(context.work.key(f"{PACKAGE_FOLDER}/{NAME}.mp4"), job.output)
    if job.mediapackage is not None:
        return _go_on(context, message)
    storage.remove_work(job.id)
    return PublishResult(message=message, published_at=time.time()).reply()


def _go_on(context: StudioContext, message: str) -> Plan:
    """The plan to encode what was composed, as the same job.

    Its work folder stays open: this step may be late, and must not close it while the encoding is going on.
    """
    job, work, recipe = context.job, context.work, context.recipe
    files = [f"{chunk_id(chunk)}/{recipe.rendition.name}.nut" for chunk in recipe.chunks]
    for name in (*files, f"{AUDIO_FOLDER}/{TRACK}"):
        work.storage.delete(work.key(name))
    remove_fetched(job, work.storage)
    encoding = EncodingJob(
        id=job.id,
        target=job.target,
        reply_to=job.reply_to,
        source=job.output,
        output_folder=posixpath.dirname(job.output),
        renditions=job.renditions,
    )
    return Plan(
        stages=(workflow_of(encoding).first_stage,), job=encoding.model_dump(mode="json"), log=message.splitlines()[-1:]
    )


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
    remove_fetched(job, work.storage)
    try:
        work.storage.write(job.log, _file_content(job, "\n".join(filter(None, said))))
    except StepError as error:
        return Result(log=(f"The failure could not be reported in {work.storage.pod_path(job.log)!r}: {error.detail}",))
    return Result(log=(f"The failure was reported in {work.storage.pod_path(job.log)!r}.",))


def withdraw(context: StudioContext) -> Result:
    """Remove all files of a job whose recording was deleted."""
    job, storage = context.job, context.work.storage
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    for key in (job.output, job.log):
        storage.delete(key)
    return Result(log=("The recording was deleted; all files of this job were removed.",))


def discard(context: StudioContext) -> Result:
    """Remove the work files of a job that a newer one has superseded."""
    context.work.storage.remove_work(context.job.id)
    remove_fetched(context.job, context.work.storage)
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
