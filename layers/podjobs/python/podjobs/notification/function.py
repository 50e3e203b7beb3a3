"""The notification function: notifies whoever requested a job that it has ended, and asks where its source has gone."""

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.failure_sentences import Language
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports.pod import PodApi
from podjobs.contract.ports.storage import Storage
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.reply_to import Nobody, PodCallback, PodRecordingCallback, RunnerCallback
from podjobs.contract.steps import Step
from podjobs.contract.workflows import LOCATE, PROGRESS, TOPIC
from podjobs.notification.encoded_callback import PATIENT, Waits
from podjobs.notification.locate import VideoDeletedError, deleted, follow, locate
from podjobs.notification.pod_callbacks import PodSite, notify_pod
from podjobs.notification.pod_view import PodView
from podjobs.notification.runner_callback import RunnerSite, notify_runner, tell_progress
from podjobs.notification.topic import tell_topic


class NotificationFunction:
    """Performs the last step of every job: notifies its sender through the channel named in `reply_to`.

    The same channel knows where a source has gone that the job's steps no longer find.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is a different part of whom it notifies
        self,
        pod: PodApi,
        storage: Storage,
        waits: Waits = PATIENT,
        view: PodView | None = None,
        language: Language = "en",
        runner: RunnerSite | None = None,
    ) -> None:
        """Create the function.

        Args:
            pod: Pod's interface, for jobs that came from Pod.
            storage: the media that Pod imports.
            waits: how long Pod is given for what it does after it has answered.
            view: what Pod must see of the media before it is told; None: that is not checked.
            language: in which people are told why a job has failed.
            runner: how runner clients are called; None: there are none.
        """
        self._pod = pod
        self._storage = storage
        self._site = PodSite(pod, storage, view, waits, language)
        self._runner = runner

    def handle(self, step: Step) -> Result | Plan | Relocation:
        """Notify the job's sender, or ask where the source is; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action; it must be the job's type, `locate`, `progress` or `topic`.
            StepError: the sender did not accept the notification, or did not answer; see the channel.
        """
        if step.action == step.job.type:
            return self._notify(step)
        if step.action == LOCATE:
            return self._find_source(step)
        if step.action == TOPIC:
            return tell_topic(step.job.reply_to, self._pod)
        if step.action == PROGRESS and isinstance(step.job.reply_to, RunnerCallback):
            return tell_progress(step, step.job.reply_to, self._runner_site(step.job.reply_to))
        raise InvalidRequestError(f"The notification function has no action {step.action!r} for such a job.")

    def _notify(self, step: Step) -> Result | Plan | Relocation:
        match step.job.reply_to:
            case RunnerCallback() as reply_to:
                return notify_runner(step, reply_to, self._runner_site(reply_to), self._storage)
            case PodCallback() as reply_to:
                return self._notify_pod(step, reply_to)
            case PodRecordingCallback() as reply_to:
                return self._notify_of_recording(step, reply_to)
            case Nobody():
                return Result(log=("There is nobody to notify.",))

    def _find_source(self, step: Step) -> Relocation:
        match step.job.reply_to:
            case PodCallback() as reply_to:
                return self._locate(step, reply_to)
            case PodRecordingCallback():
                return self._wait_for_sources(step)
            case RunnerCallback() | Nobody():
                # a runner client's source is a copy of ours: nobody else knows where that could have gone
                return Relocation(whereabouts=Whereabouts.UNCHANGED, job=step.job)

    def _runner_site(self, reply_to: RunnerCallback) -> RunnerSite:
        if self._runner is None:
            raise InvalidRequestError(f"The client {reply_to.client!r} cannot be called: this function calls none.")
        return self._runner

    def _locate(self, step: Step, reply_to: PodCallback) -> Relocation:
        found = locate(step.job, reply_to, self._pod, self._storage)
        if found.whereabouts is Whereabouts.UNCHANGED and self._site.view:
            self._site.view.check_source(step, self._storage)
        return found

    def _notify_pod(self, step: Step, reply_to: PodCallback) -> Result | Relocation:
        try:
            followed, reply_to = follow(step, reply_to, self._pod, self._storage)
            return notify_pod(followed, reply_to, self._site)
        except VideoDeletedError:
            return deleted(step.job, self._storage)

    def _wait_for_sources(self, step: Step) -> Relocation:
        """Pod cannot be asked where the files of a recording are, and does not move them."""
        if self._site.view:
            self._site.view.check_source(step, self._storage)
        sentence = "Pod says nothing of a recording's sources; the step is tried again."
        return Relocation(whereabouts=Whereabouts.UNCHANGED, job=step.job, log=(sentence,))

    def _notify_of_recording(self, step: Step, reply_to: PodRecordingCallback) -> Result | Relocation:
        try:
            return notify_pod(step, reply_to, self._site)
        except VideoDeletedError:
            return deleted(step.job, self._storage)
