"""Notifies Pod through its REST interface: each call once, even if a response was lost.

Source: docs/contract-pod.md, callbacks.
"""

import time
from dataclasses import dataclass
from typing import ClassVar, Protocol

from podjobs.contract.errors import InvalidRequestError, RetryableError
from podjobs.contract.jobs import EncodingJob, TranscriptionJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Result
from podjobs.contract.ports import PodAnswer, PodApi, Storage
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.locate import VideoDeletedError

TRANSCRIPTION_STEP = "5"
"""Pod's code for «transcripting audio»: the import is done, and a transcription is under way."""
MESSAGE_CHARS = 4000
"""Pod stores the message in the video's log, which people read."""

SENTENCES = {
    PodAnswer.ACCEPTED: "Pod was notified.",
    PodAnswer.NOT_IN_PROGRESS: "Pod had been notified before.",
}


def notify_pod(step: Step, reply_to: PodCallback, pod: PodApi, storage: Storage) -> Result:
    """Notify Pod that a job has ended; safe to repeat.

    Args:
        step: with the job, and why it failed where it did.
        reply_to: the video, as Pod names it.
        pod: Pod's interface.
        storage: the media that Pod imports.

    Raises:
        InvalidRequestError: Pod has no callback for jobs of this type.
        VideoDeletedError: there is nobody to notify.
        StepError: Pod did not accept it; see the `PodApi` port.
    """
    callback = _callback_for(step, reply_to, pod, storage)
    if step.attempt > 1 and callback.was_accepted():
        return Result(log=(f"Pod has {callback.effect}; the response to an earlier call was lost.",))
    try:
        answer = callback.post()
    except RetryableError as error:
        # Pod may still be working on it, or be done: repeating it blindly could queue a transcription twice.
        if error.context.get("ambiguous") and callback.was_accepted():
            return Result(log=(f"Pod has {callback.effect}, but its response was lost.",))
        raise
    if answer is PodAnswer.UNKNOWN_VIDEO:
        raise VideoDeletedError
    return Result(log=(SENTENCES[answer],))


class _Callback(Protocol):
    """One of Pod's callbacks, with all that it needs to know of one job."""

    effect: ClassVar[str]
    """What Pod has done once it has accepted the call."""

    def post(self) -> PodAnswer:
        """Call Pod."""

    def was_accepted(self) -> bool:
        """Whether an earlier call had its effect. Raises VideoDeletedError."""


def _callback_for(step: Step, reply_to: PodCallback, pod: PodApi, storage: Storage) -> _Callback:
    match step.job:
        case EncodingJob():
            return _EncodedCallback(pod, reply_to, step.accepted_at)
        case TranscriptionJob(captions=captions):
            return _TranscribedCallback(pod, reply_to.video_id, storage, captions, _message_of(step))
    raise InvalidRequestError(f"Pod has no callback for jobs of type {step.job.type!r}.")


@dataclass(frozen=True)
class _EncodedCallback:
    effect: ClassVar[str] = "imported the video"

    pod: PodApi
    reply_to: PodCallback
    accepted_at: float

    def post(self) -> PodAnswer:
        """Pod requires every field of its own task."""
        body = {"start": time.ctime(self.accepted_at), "stop": time.ctime(), **self.reply_to.request}
        return self.pod.post_encoded(self.reply_to.video_id, body)

    def was_accepted(self) -> bool:
        """A video that waits for its transcription is in progress, but has been imported."""
        state = self.pod.video_state(self.reply_to.video_id)
        if state is None:
            raise VideoDeletedError
        return not state.in_progress or state.step.split(":")[0].strip() == TRANSCRIPTION_STEP


@dataclass(frozen=True)
class _TranscribedCallback:
    effect: ClassVar[str] = "taken the captions"

    pod: PodApi
    video_id: int
    storage: Storage
    captions: Key
    message: str

    def post(self) -> PodAnswer:
        path = self.storage.pod_path(self.captions)
        body = {"video_id": self.video_id, "msg": self.message, "temp_vtt_file": path}
        return self.pod.post_transcribed(self.video_id, body)

    def was_accepted(self) -> bool:
        """Pod deletes the file once it has read it, and nobody else does."""
        return not self.storage.exists(self.captions)


def _message_of(step: Step) -> str:
    """The message about the captions; for a failed job, why it failed. Pure."""
    if step.failure:
        message = f"{step.failure.title} {step.failure.detail}"
    else:
        message = " ".join(str(values.get("message", "")) for values in step.results.values())
    return message[:MESSAGE_CHARS]
