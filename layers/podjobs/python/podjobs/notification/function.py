"""The notification function: notifies whoever asked for a job that it has ended."""

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.plans import Result
from podjobs.contract.ports import PodApi, Storage
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.pod_callbacks import notify_pod


class NotificationFunction:
    """Performs the last step of every job, through the channel that the job names."""

    def __init__(self, pod: PodApi, storage: Storage) -> None:
        """Take Pod's interface, and the media that Pod takes over."""
        self._pod = pod
        self._storage = storage

    def handle(self, step: Step) -> Result:
        """Notify the job's sender; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action.
            StepError: the sender did not take it; see the channel.
        """
        job = step.job
        if step.action != job.type:
            raise InvalidRequestError(f"The notification function has no action {step.action!r}.")
        if isinstance(job.reply_to, PodCallback):
            return notify_pod(step, job.reply_to, self._pod, self._storage)
        return Result(log=("Nobody is to be notified.",))
