"""Notifies Pod through its REST interface: each call once, even if a response was lost.

Source: docs/contract-pod.md, callbacks.
"""

from dataclasses import dataclass
from typing import Protocol

from podjobs.contract.errors import InvalidRequestError, RetryableError
from podjobs.contract.failure_sentences import Language, tell_details, tell_failure
from podjobs.contract.jobs import EncodingJob, StudioJob, TranscriptionJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Result
from podjobs.contract.ports.pod import PodAnswer, PodApi
from podjobs.contract.ports.storage import Storage
from podjobs.contract.reply_to import PodCallback, PodRecordingCallback
from podjobs.contract.steps import Step
from podjobs.notification.composed_callback import ComposedCallback
from podjobs.notification.encoded_callback import PATIENT, EncodedCallback, Waits
from podjobs.notification.locate import VideoDeletedError
from podjobs.notification.pod_view import PodView

MESSAGE_CHARS = 4000
"""Pod stores the message in its log of the video or recording, which people read."""


@dataclass(frozen=True)
class PodSite:
    """The Pod that is notified, and what belongs to it."""

    api: PodApi
    storage: Storage
    """The media that it imports."""
    view: PodView | None = None
    """What it sees of them; None: that is not checked."""
    waits: Waits = PATIENT
    """How long it is given."""
    language: Language = "en"
    """In which people there are told why a job has failed."""


def notify_pod(step: Step, reply_to: PodCallback | PodRecordingCallback, pod: PodSite) -> Result:
    """Notify Pod that a job has ended; safe to repeat.

    Args:
        step: with the job, and why it failed where it did.
        reply_to: the video or recording, as Pod names it.
        pod: whom.

    Raises:
        NotNowError: Pod does not see yet what it is to import; see PodView and ComposedCallback.
        InvalidRequestError: Pod has no callback for jobs of this type.
        VideoDeletedError: there is nobody to notify.
        StepError: Pod did not accept it; see the `PodApi` port and the callbacks.
    """
    callback = _callback_for(step, reply_to, pod)
    if step.attempt > 1 and (known := callback.was_accepted(may_be_running=False)):
        return Result(log=(known,))
    unseen = pod.view.check(step, pod.storage) if pod.view else ()
    try:
        answer = callback.post()
    except RetryableError as error:
        # Pod may still be working on it, or be done: repeating it blindly could queue a transcription twice.
        if error.context.get("ambiguous") and (known := callback.was_accepted(may_be_running=True)):
            return Result(log=(*unseen, known))
        raise
    result = callback.conclude(answer)
    return result.model_copy(update={"log": (*unseen, *result.log)})


class Callback(Protocol):
    """One of Pod's callbacks, with all that it needs to know of one job."""

    def post(self) -> PodAnswer:
        """Call Pod."""

    def was_accepted(self, *, may_be_running: bool) -> str:
        """Whether an earlier call had its effect.

        Args:
            may_be_running: the connection broke just now, so Pod may still be working on it: give it time.

        Returns:
            A sentence about it; empty: it had none.

        Raises:
            VideoDeletedError: there is nobody to notify.
        """

    def conclude(self, answer: PodAnswer) -> Result:
        """Deal with Pod's answer. Raises VideoDeletedError, or StepError if Pod does not have what it should."""


def _callback_for(step: Step, reply_to: PodCallback | PodRecordingCallback, pod: PodSite) -> Callback:
    match step.job, reply_to:
        case EncodingJob() as job, PodCallback():
            return EncodedCallback(pod.api, pod.storage, pod.waits, step, job, reply_to, pod.language)
        case TranscriptionJob(captions=captions), PodCallback(video_id=video_id):
            return _TranscribedCallback(pod.api, video_id, pod.storage, captions, _message_of(step, pod.language))
        case StudioJob() as job, PodRecordingCallback(recording_id=recording_id):
            return ComposedCallback(
                pod.api, pod.storage, pod.waits, step, job, recording_id, pod.language, MESSAGE_CHARS
            )
    raise InvalidRequestError(f"Pod has no {reply_to.channel!r} callback for jobs of type {step.job.type!r}.")


@dataclass(frozen=True)
class _TranscribedCallback:
    pod: PodApi
    video_id: int
    storage: Storage
    captions: Key
    message: str

    def post(self) -> PodAnswer:
        path = self.storage.pod_path(self.captions)
        body = {"video_id": self.video_id, "msg": self.message, "temp_vtt_file": path}
        return self.pod.post_transcribed(self.video_id, body)

    def was_accepted(self, *, may_be_running: bool) -> str:  # noqa: ARG002 - Pod reads the file at once
        """Pod deletes the file once it has read it, and nobody else does."""
        if self.storage.exists(self.captions):
            return ""
        return "Pod has taken the captions; the response to an earlier call was lost."

    def conclude(self, answer: PodAnswer) -> Result:
        if answer is PodAnswer.UNKNOWN_VIDEO:
            raise VideoDeletedError
        return Result(log=("Pod was notified.",))


def _message_of(step: Step, language: Language) -> str:
    """The message about the captions; for a failed job, why it failed. Pure."""
    if step.failure:
        message = f"{tell_failure(step.failure, step.job.type, language)} {tell_details(step.failure, language)}"
    else:
        message = " ".join(str(values.get("message", "")) for values in step.results.values())
    return message[:MESSAGE_CHARS]
