"""The notification function: tells Pod that a job has ended, once.

Source: docs/contract-pod.md, callbacks.
"""

import time

from podjobs.contract.errors import InvalidRequestError, RetryableError
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.ports import Answer, PodApi
from podjobs.contract.steps import Result, Step

TRANSCRIPTION_STEP = "5"
"""Pod's number of «transcripting audio»: the import is over, and a transcription is on its way."""

SENTENCES = {
    Answer.ACCEPTED: "Pod was told.",
    Answer.NOT_IN_PROGRESS: "Pod had been told before.",
    Answer.UNKNOWN_VIDEO: "Pod no longer knows this video; there is nobody to tell.",
}


class NotificationFunction:
    """Performs the last step of every job."""

    def __init__(self, pod: PodApi) -> None:
        """Take Pod's interface."""
        self._pod = pod

    def perform(self, step: Step) -> Result:
        """Tell Pod; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action.
            StepError: Pod did not take it; see the `PodApi` port.
        """
        if step.action != "encoding":
            raise InvalidRequestError(f"The notification function has no action {step.action!r}.")
        if step.attempt > 1 and self._was_imported(step.job):
            return Result(log=("Pod has imported the video; the answer to an earlier call was lost.",))
        try:
            answer = self._pod.post_encoded(step.job.video_id, encoded_body(step.job, step.accepted_at))
        except RetryableError as error:
            # Pod may be importing still, or be done: a blind repeat could queue a transcription twice.
            if error.context.get("ambiguous") and self._was_imported(step.job):
                return Result(log=("Pod has imported the video, but its answer was lost.",))
            raise
        return Result(log=(SENTENCES[answer],))

    def _was_imported(self, job: EncodingJob) -> bool:
        """Whether an earlier call did its work. A video that waits for it is in progress, but not transcribed."""
        state = self._pod.video_state(job.video_id)
        if state is None:
            return True
        return not state.in_progress or state.step.split(":")[0].strip() == TRANSCRIPTION_STEP


def encoded_body(job: EncodingJob, accepted_at: float) -> dict[str, object]:
    """The callback's body; Pod wants every field to be there. Pure but for the clock."""
    return {
        "start": time.ctime(accepted_at),
        "stop": time.ctime(),
        "video_id": job.video_id,
        "video_path": job.video_path,
        "cut_start": job.cut_start,
        "cut_end": job.cut_end,
        "json_dressing": job.json_dressing,
        "dressing_input": job.dressing_input,
    }
