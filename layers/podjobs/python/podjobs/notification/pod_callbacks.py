"""Notifies Pod through its REST interface: each call once, also where an answer was lost.

Source: docs/contract-pod.md, callbacks.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from podjobs.contract.errors import InvalidRequestError, RetryableError
from podjobs.contract.jobs import EncodingJob, Job, TranscriptionJob
from podjobs.contract.plans import Result
from podjobs.contract.ports import Answer, PodApi, Storage
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.steps import Step

TRANSCRIPTION_STEP = "5"
"""Pod's number of «transcripting audio»: the import is over, and a transcription is on its way."""
MESSAGE_CHARS = 4000
"""Pod keeps the message in the video's log, which people read."""

SENTENCES = {
    Answer.ACCEPTED: "Pod was notified.",
    Answer.NOT_IN_PROGRESS: "Pod had been notified before.",
    Answer.UNKNOWN_VIDEO: "Pod no longer knows this video; there is nobody to notify.",
}

JobT = TypeVar("JobT", bound=Job)


def notify_pod(step: Step, reply_to: PodCallback, pod: PodApi, storage: Storage) -> Result:
    """Tell Pod that a job has ended; safe to repeat.

    Args:
        step: with the job, and why it failed where it did.
        reply_to: the video, as Pod names it.
        pod: Pod's interface.
        storage: the media that Pod takes over.

    Raises:
        InvalidRequestError: Pod has no callback for jobs of this type.
        StepError: Pod did not take it; see the `PodApi` port.
    """
    kind = _CALLBACKS.get(step.job.type)
    if kind is None:
        raise InvalidRequestError(f"Pod has no callback for jobs of type {step.job.type!r}.")
    callback = kind(step, reply_to, pod, storage)
    if step.attempt > 1 and callback.was_taken():
        return Result(log=(f"Pod has {callback.done}; the answer to an earlier call was lost.",))
    try:
        answer = callback.post()
    except RetryableError as error:
        # Pod may be at it still, or be done: a blind repeat could queue a transcription twice.
        if error.context.get("ambiguous") and callback.was_taken():
            return Result(log=(f"Pod has {callback.done}, but its answer was lost.",))
        raise
    return Result(log=(SENTENCES[answer],))


class _Callback(ABC, Generic[JobT]):
    """One of Pod's callbacks, for one job."""

    done: ClassVar[str]
    """What Pod has done when it has taken the call."""

    def __init__(self, step: Step, reply_to: PodCallback, pod: PodApi, storage: Storage) -> None:
        self._step = step
        self._job: JobT = step.job  # type: ignore[assignment]  # the table below goes by the job's type
        self._reply_to = reply_to
        self._pod = pod
        self._storage = storage

    @abstractmethod
    def post(self) -> Answer:
        """Call Pod."""

    @abstractmethod
    def was_taken(self) -> bool:
        """Whether an earlier call did its work."""


class _EncodedCallback(_Callback[EncodingJob]):
    done = "imported the video"

    def post(self) -> Answer:
        return self._pod.post_encoded(self._reply_to.video_id, encoded_body(self._reply_to, self._step.accepted_at))

    def was_taken(self) -> bool:
        """A video that waits for its transcription is in progress, but has been imported."""
        state = self._pod.video_state(self._reply_to.video_id)
        if state is None:
            return True
        return not state.in_progress or state.step.split(":")[0].strip() == TRANSCRIPTION_STEP


class _TranscribedCallback(_Callback[TranscriptionJob]):
    done = "taken the captions"

    def post(self) -> Answer:
        captions = self._job.captions
        body = transcribed_body(self._reply_to, self._storage.pod_path(captions), self._step)
        answer = self._pod.post_transcribed(self._reply_to.video_id, body)
        if answer is Answer.UNKNOWN_VIDEO:
            self._storage.delete(captions)  # Pod leaves it there
        return answer

    def was_taken(self) -> bool:
        """Pod deletes the file when it has read it, and nobody else does."""
        return not self._storage.exists(self._job.captions)


_CALLBACKS: Mapping[str, type[_EncodedCallback | _TranscribedCallback]] = {
    "encoding": _EncodedCallback,
    "transcription": _TranscribedCallback,
}
"""Type of job → the callback that Pod has for it."""


def encoded_body(reply_to: PodCallback, accepted_at: float) -> dict[str, object]:
    """The callback's body; Pod wants every field of its task to be there. Pure but for the clock."""
    return {"start": time.ctime(accepted_at), "stop": time.ctime(), **reply_to.request}


def transcribed_body(reply_to: PodCallback, captions_path: str, step: Step) -> dict[str, object]:
    """The callback's body: the file, and what there is to say about it; of a failure, its reason. Pure."""
    if step.failure:
        message = f"{step.failure.title} {step.failure.detail}"
    else:
        message = " ".join(str(values.get("message", "")) for values in step.results.values())
    return {"video_id": reply_to.video_id, "msg": message[:MESSAGE_CHARS], "temp_vtt_file": captions_path}
