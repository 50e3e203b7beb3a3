"""The transcription function: one step in, one reply out."""

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports import SpeechModel, Storage, Tools
from podjobs.contract.steps import Step
from podjobs.transcription.plan import plan_job
from podjobs.transcription.publish import discard, publish_captions, report_failure
from podjobs.transcription.recipe import Part, Recipe
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.transcribe import transcribe_part
from podjobs.transcription.workspace import Workspace


class TranscriptionFunction:
    """Performs the steps of transcription jobs.

    plan → transcribe (one step a part) → captions; or, when the job failed, report; when a newer one took its place,
    discard.
    """

    def __init__(self, model: SpeechModel, tools: Tools, storage: Storage, settings: TranscriptionSettings) -> None:
        """Take the backends and settings that every step uses."""
        self._model = model
        self._tools = tools
        self._storage = storage
        self._settings = settings

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action.
            StepError: as the action says.
        """
        job = step.job
        if not isinstance(job, TranscriptionJob):
            raise InvalidRequestError(f"The transcription function does no jobs of type {job.type!r}.")
        work = Workspace(job.id, self._tools, self._storage, self._settings, step.timeout_s)
        match step.action:
            case "plan":
                return plan_job(job, self._model, work)
            case "transcribe":
                part, recipe = Part.model_validate(step.params), Recipe.model_validate(step.shared)
                return transcribe_part(part, recipe, self._model, work)
            case "captions":
                return publish_captions(job, step, Recipe.model_validate(step.shared), work)
            case "report":
                return report_failure(job, self._storage)
            case "discard":
                return discard(job, self._storage)
        raise InvalidRequestError(f"The transcription function has no action {step.action!r}.")
