"""Performs the steps of studio jobs: one step in, one reply out."""

from podjobs.contract.actions import Actions, choose_action, expect_job
from podjobs.contract.jobs import StudioJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools
from podjobs.contract.steps import Step
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.workspace import Workspace
from podjobs.studio.audio import encode_audio
from podjobs.studio.chunk import compose_chunk
from podjobs.studio.context import StudioContext
from podjobs.studio.package import package_recording
from podjobs.studio.plan import plan_job, plan_repackaged
from podjobs.studio.publish import discard, publish, report_failure, withdraw

ACTIONS: Actions[StudioContext] = {
    "plan": plan_job,
    "repackage": plan_repackaged,
    "chunk": compose_chunk,
    "audio": encode_audio,
    "package": package_recording,
    "publish": publish,
    "report": report_failure,
    "discard": discard,
    "withdraw": withdraw,
}
"""In the order of a job; the last three: it has failed, was superseded, or its recording was deleted."""


class StudioFunction:
    """Performs the steps of studio jobs."""

    def __init__(self, tools: Tools, storage: Storage, settings: EncodingSettings) -> None:
        """Take the backends and settings that every step uses."""
        self._tools = tools
        self._storage = storage
        self._settings = settings

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat.

        Raises:
            InvalidRequestError: the job is not a studio recording, or there is no such action.
            StepError: as the action says.
        """
        job = expect_job(step, StudioJob)
        action = choose_action(step, ACTIONS)
        work = Workspace(job.id, self._tools, self._storage, self._settings, step.timeout_s)
        return action(StudioContext(job, step, work))
