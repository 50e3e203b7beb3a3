"""The transcription function: one step in, one reply out."""

from dataclasses import dataclass, replace

from podjobs.contract.actions import Actions, StepContext, choose_action, expect_job
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.speech import SpeechModel
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools
from podjobs.contract.steps import Step
from podjobs.contract.workflows import ENDINGS
from podjobs.media.fetched import needs_no_source
from podjobs.media.source_watch import SourceWatch, WatchedTools
from podjobs.transcription.hotwords import choose_hotwords
from podjobs.transcription.model_check import find_model_faults
from podjobs.transcription.plan import plan_job
from podjobs.transcription.publish import discard, publish_captions, report_failure, withdraw
from podjobs.transcription.recipe import Part, Recipe
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.transcribe import transcribe_part
from podjobs.transcription.workspace import Workspace


@dataclass(frozen=True)
class TranscriptionContext(StepContext[TranscriptionJob]):
    """What every action receives."""

    model: SpeechModel
    work: Workspace

    @property
    def recipe(self) -> Recipe:
        """How the sound is transcribed; not available before the job is planned."""
        recipe = self.shared(Recipe)
        # it may have moved since it was planned
        sound = recipe.sound.model_copy(update={"source": self.job.source})
        return recipe.model_copy(update={"sound": sound})


CAPTIONS = "captions"
ACTIONS: Actions[TranscriptionContext] = {
    "plan": lambda given: plan_job(given.job, given.model, given.work),
    "transcribe": lambda given: transcribe_part(
        given.params(Part), given.recipe, given.model, given.work, choose_hotwords(given.step.results)
    ),
    CAPTIONS: lambda given: publish_captions(given.job, given.step, given.recipe, given.work),
    "report": lambda given: report_failure(given.job, given.work.storage),
    "discard": lambda given: discard(given.job, given.work.storage),
    "withdraw": lambda given: withdraw(given.job, given.work.storage),
}
"""In the order of a job, where each part is a step of its own; the last three are for a job that has failed, was
superseded, or whose video was deleted."""


class TranscriptionFunction:
    """Performs the steps of transcription jobs."""

    def __init__(self, model: SpeechModel, tools: Tools, storage: Storage, settings: TranscriptionSettings) -> None:
        """Take the backends and settings that every step uses."""
        self._model = model
        self._tools = tools
        self._storage = storage
        self._settings = settings

    def find_faults(self) -> tuple[str, ...]:
        """Load the models that are on this machine. Returns a sentence for each fault."""
        return find_model_faults(self._settings.models, self._model)

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat.

        Raises:
            InvalidRequestError: the job is not a transcription, or there is no such action.
            SourceGoneError: the source was moved or deleted.
            StepError: as the action says.
        """
        job = expect_job(step, TranscriptionJob)
        action = choose_action(step, ACTIONS)
        work = Workspace(job.id, self._tools, self._storage, self._settings, step.timeout_s)
        if step.action in ENDINGS or (step.action == CAPTIONS and needs_no_source(job, self._storage)):
            return action(TranscriptionContext(job, step, self._model, work))
        watch = SourceWatch(self._storage, job.source, job.id)
        with watch.step():
            work = replace(work, tools=WatchedTools(self._tools, watch))
            return action(TranscriptionContext(job, step, self._model, work))
