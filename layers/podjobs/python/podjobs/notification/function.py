"""The notification function: notifies whoever asked for a job that it has ended."""

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.plans import Result
from podjobs.contract.ports import PodApi, Storage
from podjobs.contract.reply_to import Nobody, PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.pod_callbacks import notify_pod


class NotificationFunction:
    """Does the last step of every job: notifies its sender through the channel that the job names in `reply_to`."""

    def __init__(self, pod: PodApi, storage: Storage) -> None:
        """Connect it.

        Args:
            pod: Pod's interface, for jobs that came from Pod.
            storage: the media that Pod takes over.
        """
        self._pod = pod
        self._storage = storage

    def handle(self, step: Step) -> Result:
        """Notify the job's sender; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action: the action is the type of the job.
            StepError: the sender did not accept the notification; see the channel.
        """
        job = step.job
        if step.action != job.type:
            raise InvalidRequestError(f"The notification function has no action {step.action!r}.")
        match job.reply_to:
            case PodCallback() as reply_to:
                return notify_pod(step, reply_to, self._pod, self._storage)
            case Nobody():
                return Result(log=("Nobody is to be notified.",))
