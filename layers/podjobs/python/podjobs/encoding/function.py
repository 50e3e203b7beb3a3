"""The encoding function: one step in, one reply out.

Four calls lead from here to the process: the action, `Workspace.run`, `ProcessTools.run`, and Popen.
"""

from dataclasses import replace

from podjobs.contract.actions import Actions, choose_action, expect_job
from podjobs.contract.jobs import EncodingJob, RecoveryJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools
from podjobs.contract.steps import Step
from podjobs.contract.workflows import ENDINGS
from podjobs.encoding.audio import encode_audio
from podjobs.encoding.chunk import encode_chunk
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.images import make_images
from podjobs.encoding.package import package_rendition
from podjobs.encoding.plan import plan_job, plan_repackaged
from podjobs.encoding.publish import discard, publish, report_failure, withdraw
from podjobs.encoding.requested_ladder import with_requested
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.subtitles import make_subtitles
from podjobs.encoding.workspace import Workspace
from podjobs.media.abandoned_work import remove_abandoned
from podjobs.media.fetched import needs_no_source
from podjobs.media.source_watch import SourceWatch, WatchedTools

PUBLISH = "publish"
ACTIONS: Actions[EncodingContext] = {
    "plan": plan_job,
    "repackage": plan_repackaged,
    "chunk": encode_chunk,
    "audio": encode_audio,
    "subtitles": make_subtitles,
    "package": package_rendition,
    "images": make_images,
    PUBLISH: publish,
    "report": report_failure,
    "discard": discard,
    "withdraw": withdraw,
}
"""In the order of a job; the last three are for a job that has failed, was superseded, or whose video was deleted."""


class EncodingFunction:
    """Performs the steps of encoding jobs."""

    def __init__(self, tools: Tools, storage: Storage, settings: EncodingSettings) -> None:
        """Take the backends and settings that every step uses."""
        self._tools = tools
        self._storage = storage
        self._settings = settings

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat.

        Raises:
            InvalidRequestError: the job is not an encoding, or there is no such action.
            SourceGoneError: the source was moved or deleted.
            StepError: as the action says.
        """
        if isinstance(step.job, RecoveryJob):
            return remove_abandoned(step.job, self._storage) if step.action == "plan" else Result()
        job = expect_job(step, EncodingJob)
        action = choose_action(step, ACTIONS)
        settings = with_requested(self._settings, job.renditions)
        work = Workspace(job.id, self._tools, self._storage, settings, step.timeout_s)
        if step.action in ENDINGS or (step.action == PUBLISH and needs_no_source(job, self._storage)):
            return action(EncodingContext(job, step, work))
        watch = SourceWatch(self._storage, job.source, job.id)
        with watch.step():
            return action(EncodingContext(job, step, replace(work, tools=WatchedTools(self._tools, watch))))
