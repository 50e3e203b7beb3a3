"""The notification function: notifies whoever requested a job that it has ended."""

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.plans import Result
from podjobs.contract.ports import PodApi, Storage
from podjobs.contract.reply_to import Nobody, PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.encoded_callback import PATIENT, Waits
from podjobs.notification.pod_callbacks import notify_pod


class NotificationFunction:
    """Performs the last step of every job: notifies its sender through the channel named in `reply_to`."""

    def __init__(self, pod: PodApi, storage: Storage, waits: Waits = PATIENT) -> None:
        """Create the function.

        Args:
            pod: Pod's interface, for jobs that came from Pod.
            storage: the media that Pod imports.
            waits: how long Pod is given for what it does after it has answered.
        """
        self._pod = pod
        self._storage = storage
        self._waits = waits

    def handle(self, step: Step) -> Result:
        """Notify the job's sender; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action; the action must be the job's type.
            StepError: the sender did not accept the notification; see the channel.
        """
        job = step.job
        if step.action != job.type:
            raise InvalidRequestError(f"The notification function has no action {step.action!r}.")
        match job.reply_to:
            case PodCallback() as reply_to:
                return notify_pod(step, reply_to, self._pod, self._storage, self._waits)
            case Nobody():
                return Result(log=("There is nobody to notify.",))
