"""The notification function: tells Pod that a job has ended, once.

Source: docs/contract-pod.md, callbacks.
"""

import time

from podjobs.contract.errors import InvalidRequestError, RetryableError
from podjobs.contract.jobs import EncodingJob, TranscriptionJob
from podjobs.contract.ports import Answer, PodApi, Storage
from podjobs.contract.steps import Result, Step

TRANSCRIPTION_STEP = "5"
"""Pod's number of «transcripting audio»: the import is over, and a transcription is on its way."""
MESSAGE_CHARS = 4000
"""Pod keeps the message in the video's log, which people read."""

SENTENCES = {
    Answer.ACCEPTED: "Pod was told.",
    Answer.NOT_IN_PROGRESS: "Pod had been told before.",
    Answer.UNKNOWN_VIDEO: "Pod no longer knows this video; there is nobody to tell.",
}


class NotificationFunction:
    """Performs the last step of every job."""

    def __init__(self, pod: PodApi, storage: Storage) -> None:
        """Take Pod's interface, and the media that Pod takes over."""
        self._pod = pod
        self._storage = storage

    def handle(self, step: Step) -> Result:
        """Tell Pod; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action.
            StepError: Pod did not take it; see the `PodApi` port.
        """
        job = step.job
        if step.action != job.type:
            raise InvalidRequestError(f"The notification function has no action {step.action!r}.")
        if isinstance(job, TranscriptionJob):
            return self._tell_transcribed(job, step)
        return self._tell_encoded(job, step)

    def _tell_encoded(self, job: EncodingJob, step: Step) -> Result:
        if step.attempt > 1 and self._was_imported(job):
            return Result(log=("Pod has imported the video; the answer to an earlier call was lost.",))
        try:
            answer = self._pod.post_encoded(job.video_id, encoded_body(job, step.accepted_at))
        except RetryableError as error:
            # Pod may be importing still, or be done: a blind repeat could queue a transcription twice.
            if error.context.get("ambiguous") and self._was_imported(job):
                return Result(log=("Pod has imported the video, but its answer was lost.",))
            raise
        return Result(log=(SENTENCES[answer],))

    def _was_imported(self, job: EncodingJob) -> bool:
        """Whether an earlier call did its work. A video that waits for it is in progress, but not transcribed."""
        state = self._pod.video_state(job.video_id)
        if state is None:
            return True
        return not state.in_progress or state.step.split(":")[0].strip() == TRANSCRIPTION_STEP

    def _tell_transcribed(self, job: TranscriptionJob, step: Step) -> Result:
        if step.attempt > 1 and self._was_taken(job):
            return Result(log=("Pod has taken the captions; the answer to an earlier call was lost.",))
        try:
            answer = self._pod.post_transcribed(
                job.video_id, transcribed_body(job, self._storage.pod_path(job.captions_key), step)
            )
        except RetryableError as error:
            if error.context.get("ambiguous") and self._was_taken(job):
                return Result(log=("Pod has taken the captions, but its answer was lost.",))
            raise
        if answer is Answer.UNKNOWN_VIDEO:
            self._storage.delete(job.captions_key)  # Pod leaves it there
        return Result(log=(SENTENCES[answer],))

    def _was_taken(self, job: TranscriptionJob) -> bool:
        """Whether an earlier call did its work: Pod deletes the file when it has read it, and nobody else does."""
        return not self._storage.exists(job.captions_key)


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


def transcribed_body(job: TranscriptionJob, captions_path: str, step: Step) -> dict[str, object]:
    """The callback's body: the file, and what there is to say about it; of a failure, its reason. Pure."""
    if step.failure:
        message = f"{step.failure.title} {step.failure.detail}"
    else:
        message = " ".join(str(values.get("message", "")) for values in step.results.values())
    return {"video_id": job.video_id, "msg": message[:MESSAGE_CHARS], "temp_vtt_file": captions_path}
