"""Pod is notified that a studio recording is composed, and takes the file away.

    the file is there ─▶ POST ─200─▶ the file is gone ───────────────▶ done
      │                    │           └── it stays ────────────────▶ retried for a while, then fails
      │                    ├─ no answer, or an error: it is gone ────▶ done
      │                    └─404: the recording was deleted ─────────▶ cancelled
      └── it is gone: Pod has taken it; only if it was published just now, it may not be seen yet: the step waits

Pod says nothing of recordings, so the file tells what has happened: Pod moves it, within the request, to where it keeps
videos, and requests the encoding of it. For a job that failed there is no file: Pod writes the message into its log of
the recording, and mails its administrators.

Source: docs/contract-pod.md, studio.
"""

import time
from dataclasses import dataclass

from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.failure_sentences import Language, tell_details, tell_failure
from podjobs.contract.jobs import StudioJob
from podjobs.contract.plans import Result
from podjobs.contract.ports.pod import PodAnswer, PodApi
from podjobs.contract.ports.storage import Storage
from podjobs.contract.steps import Step
from podjobs.notification.encoded_callback import Waits
from podjobs.notification.locate import VideoDeletedError

LAG_S = 90.0
"""So long after publishing, a shared folder may not show the file yet: NFS looks at a folder every 60 s (acdirmax)."""
LOOK_AGAIN_S = 10.0
UNSEEN_S = 600.0
"""So long after publishing, Pod may not see the file yet, which it then answers by 200, too."""
TAKEN = (
    "Pod has taken the recording; the answer to an earlier call was lost, or was an error. If the video is not encoded "
    "soon, request that in Pod's administration."
)


@dataclass(frozen=True)
class ComposedCallback:
    """The callback of one studio job. Implements `Callback`."""

    pod: PodApi
    storage: Storage
    waits: Waits
    step: Step
    job: StudioJob
    recording_id: int
    language: Language = "en"
    """In which people are told why the job has failed."""
    message_chars: int = 4000
    """The most that is told."""

    def post(self) -> PodAnswer:
        """Call Pod, unless it has the file.

        Raises:
            NotNowError: the file is not seen yet.
            RetryableError: Pod did not answer, or answered an error; `ambiguous` if it may have taken the file.
            StepError: see the `PodApi` port.
        """
        if self._is_gone():
            return PodAnswer.NOT_IN_PROGRESS
        body = {"video_output": self._path, "msg": self._message[: self.message_chars]}
        try:
            return self.pod.post_composed(self.recording_id, body)
        except RetryableError as error:
            if "pod_status" not in error.context:
                raise
            hint = f"Pod must be allowed to move {self._path!r} to where it keeps videos."
            # it may have failed after it had moved the file: a second call would find none
            raise RetryableError(f"{error.detail} {hint}", **error.context, ambiguous=True) from error

    def was_accepted(self, *, may_be_running: bool) -> str:
        """Whether an earlier call had its effect; see `Callback`. Raises NotNowError like `post`."""
        if self.step.failure:
            return ""  # at worst, Pod is told twice
        if may_be_running:
            return TAKEN if self._is_taken_within(self.waits.launch_s) else ""
        return TAKEN if self._is_gone() else ""

    def conclude(self, answer: PodAnswer) -> Result:
        """See to it that Pod has taken the file.

        Raises:
            VideoDeletedError: there is nobody to notify.
            RetryableError: it has not, and may not have seen it.
            PermanentError: it has not, and time will not change that.
        """
        if answer is PodAnswer.UNKNOWN_VIDEO:
            raise VideoDeletedError
        if answer is PodAnswer.NOT_IN_PROGRESS:
            return Result(log=(TAKEN,))
        if not self.step.failure and not self._is_taken_within(self.waits.import_s):
            raise self._not_taken()
        return Result(log=("Pod was notified.",))

    def _not_taken(self) -> RetryableError | PermanentError:
        detail = (
            f"Pod was called, but has not taken the recording: {self._path!r} is still there, so Pod does not see it. "
            "Check that MEDIA_ROOT is the same folder on the Pod server and here; then retry the job."
        )
        if self._published_since_s < UNSEEN_S:
            return RetryableError(detail)
        return PermanentError(detail, kind=FailureKind.SERVICE)

    def _is_gone(self) -> bool:
        """Whether Pod has taken the file of a job that has succeeded. Raises NotNowError if it may not be seen yet."""
        if self.step.failure or self.storage.exists(self.job.output):
            return False
        if self._published_since_s < LAG_S:
            raise NotNowError(
                f"The recording {self._path!r} was published just now, and is not seen yet, or Pod has taken it "
                "already: it is looked for again.",
                retry_after_s=LOOK_AGAIN_S,
            )
        return True

    def _is_taken_within(self, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while self.storage.exists(self.job.output):
            if time.monotonic() >= deadline:
                return False
            time.sleep(self.waits.pause_s)
        return True

    @property
    def _published_since_s(self) -> float:
        """For how long the file has been published; the clock is another machine's."""
        times = [float(values["published_at"]) for values in self.step.results.values() if "published_at" in values]
        return abs(time.time() - max(times, default=0.0))

    @property
    def _path(self) -> str:
        """The file, as Pod sees it."""
        return self.storage.pod_path(self.job.output)

    @property
    def _message(self) -> str:
        """What Pod adds to its log of the recording, which does not end with a line: how it went, or why it failed."""
        if failure := self.step.failure:
            said = [tell_failure(failure, self.job.type, self.language), tell_details(failure, self.language)]
            if self.storage.exists(self.job.log):
                said.append(self.storage.pod_path(self.job.log))
        else:
            said = [str(values["message"]) for values in self.step.results.values() if values.get("message")]
        return "\n".join(["", *said, ""])
