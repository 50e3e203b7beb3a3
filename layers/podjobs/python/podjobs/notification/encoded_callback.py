"""Pod is notified that a video is encoded, and asked whether it has really imported it.

    POST ─200─▶ GET: imported ───────────────────────────────▶ done
      │          ├── it still waits: no import in this version ▶ an operator must update Pod
      │          └── it shows none of the files ──────────────▶ fails
      ├─400─▶ GET: it shows this job's result ───────────────▶ done: the first answer was lost
      │          ├── it is in progress ───────────────────────▶ retried, unless that encode replaces this job
      │          └── it shows another result ─────────────────▶ asked to encode the video again; done, or fails
      └─404: the video was deleted ──────────────────────────▶ cancelled

Why: docs/decisions/0025-what-pod-shows-is-believed.md.
Source: docs/contract-pod.md, callbacks.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from podjobs.contract.errors import OperatorNeededError, PermanentError, RetryableError, StepError, UnavailableError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.failure_sentences import Language, tell_details, tell_failure
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Result
from podjobs.contract.ports.pod import PodAnswer, PodApi, VideoState
from podjobs.contract.ports.storage import Storage
from podjobs.contract.reply_to import PodCallback
from podjobs.contract.steps import Step
from podjobs.notification.expectation import Expectation, find_missing_renditions
from podjobs.notification.locate import VideoDeletedError
from podjobs.notification.pod_progress import is_imported, is_importing, waits_for_import
from podjobs.notification.second_encode import SecondEncode

logger = structlog.get_logger(__name__)

REASON_CHARS = 1000
"""Pod's administration shows the reason in the video's encoding log."""
OPERATOR_RETRY_S = 300.0


@dataclass(frozen=True)
class Waits:
    """How long Pod is given for what it does after it has answered, in seconds."""

    import_s: float = 120.0
    """For an import that was still running when the connection broke."""
    launch_s: float = 15.0
    """To begin an encode that it was asked for."""
    pause_s: float = 2.0
    """Between two questions."""


PATIENT = Waits()


@dataclass(frozen=True)
class EncodedCallback:
    """The callback of one encoding job. Implements `Callback`."""

    pod: PodApi
    storage: Storage
    waits: Waits
    step: Step
    job: EncodingJob
    reply_to: PodCallback
    language: Language = "en"
    """In which people are told why the job has failed."""

    def post(self) -> PodAnswer:
        """Call Pod, with every field of its own task; Pod requires them."""
        stop = time.ctime()
        if failure := self.step.failure:
            # Pod writes it into the video's encoding log as it is
            said = tell_failure(failure, self.job.type, self.language), tell_details(failure, self.language)
            reason = " ".join(" ".join(said).split())
            stop = "".join(one for one in f"{stop}. {reason}" if one.isprintable())[:REASON_CHARS]
        body = {"start": time.ctime(self.step.accepted_at), "stop": stop, **self.reply_to.request}
        try:
            return self.pod.post_encoded(self.reply_to.video_id, body)
        except RetryableError as error:
            if "pod_status" not in error.context:
                raise
            raise RetryableError(f"{error.detail} {self._about_renditions()}".rstrip(), **error.context) from error

    def was_accepted(self, *, may_be_running: bool) -> str:
        """Whether an earlier call had its effect; see `Callback`."""
        limit_s = self.waits.import_s if may_be_running else 0
        state = self._state_until(lambda state: not is_importing(state), limit_s)
        if state is None:
            raise VideoDeletedError
        if not (is_imported(state) and self._expected.is_shown(state)):
            return ""
        self._second.forget()
        done = "no longer waits for" if self._expected.is_failure else "has imported"
        return f"Pod {done} the video; the response to an earlier call was lost."

    def conclude(self, answer: PodAnswer) -> Result:
        """See to it that Pod has what this job made.

        Raises:
            VideoDeletedError: there is nobody to notify.
            OperatorNeededError: Pod takes the callback, but does not import.
            PermanentError: Pod shows another result, or none, and that cannot be mended from here.
            RetryableError: Pod cannot be asked.
        """
        if answer is PodAnswer.UNKNOWN_VIDEO:
            raise VideoDeletedError
        try:
            state = self.pod.video_state(self.reply_to.video_id)
        except UnavailableError as error:
            # as an attempt that counts: the next one then asks before it calls Pod again
            raise RetryableError(f"Pod was called, but cannot be asked what came of it: {error.detail}") from error
        if state is None:
            raise VideoDeletedError
        if answer is PodAnswer.NOT_IN_PROGRESS:
            return Result(log=(self._after_refusal(state),))
        self._check_import(state)
        self._second.forget()
        return Result(log=("Pod was notified.", *self._differences(state)))

    def _check_import(self, state: VideoState) -> None:
        """Pod has answered 200. Raises StepError if it has not imported what this job made."""
        if waits_for_import(state):
            logger.error("Pod answered 200, but did not import; an operator must update Pod.", step=state.step)
            raise OperatorNeededError(
                f"Pod answered 200, but did not import the video: it is still at «{state.step}». "
                "Pod 3.5.1 or newer is needed (3.4.0 to 3.5.0 answer, and do nothing); update Pod.",
                retry_after_s=OPERATOR_RETRY_S,
            )
        if is_imported(state) and not state.encoded and not self._expected.is_failure:
            raise PermanentError(
                "Pod imported the video, but found none of its files. Check that MEDIA_ROOT is the same folder on the "
                "Pod server and here, and that Pod may read what is written there; then encode the video again in "
                "Pod's administration.",
                kind=FailureKind.SERVICE,
            )

    def _differences(self, state: VideoState) -> tuple[str, ...]:
        """What Pod shows otherwise than this job made it, without being useless."""
        if self._expected.is_failure or not is_imported(state) or self._expected.has_duration_of(state):
            return ()
        lengths = f"a length of {state.duration_s} s, while this job's result has {self._expected.duration_s} s"
        return (f"Pod shows {lengths}: it may have imported another one since.",)

    def _after_refusal(self, state: VideoState) -> str:
        """Pod has answered 400: it waited for no result. Returns a sentence, or raises StepError."""
        if not is_imported(state):
            raise RetryableError(
                f"The result was refused (400), although Pod has the video in progress («{state.step}»). Either "
                "another encode was requested meanwhile, which takes the place of this one, or a proxy before Pod "
                "refused the call: then see its log."
            )
        if self._expected.is_shown(state):
            self._second.forget()
            return "Pod had been notified before, or does not wait for this video."
        if state.in_progress:
            raise RetryableError("Pod has imported another result of this video meanwhile. It will be notified again.")
        return self._encode_again(state)

    def _encode_again(self, state: VideoState) -> str:
        """Pod has imported another result and no longer takes this one: only a new encode can replace it."""
        self._second.allow()
        logger.warning("Pod shows another result than this job's; it is asked to encode the video again.")
        try:
            self.pod.launch_encode(state.slug)
        except PermanentError as error:
            raise _not_encoded_again(f" ({error.detail.rstrip('.')})") from error
        begun = self._state_until(
            lambda state: state.in_progress or self._expected.is_shown(state), self.waits.launch_s
        )
        if begun is not None and not begun.in_progress and not self._expected.is_shown(begun):
            raise _not_encoded_again("")
        return (
            "Pod refused this result, since it had imported another one meanwhile. It was asked to encode the video "
            "again; that encode takes the place of this one."
        )

    def _about_renditions(self) -> str:
        """Whether Pod's import fails for want of a rendition; a sentence, or nothing if that is not known."""
        if not self._expected.heights_px:
            return ""
        try:
            missing = find_missing_renditions(self._expected.heights_px, self.pod.renditions())
        except StepError:
            return ""
        return missing or "Pod has all renditions of the video, so these are not the reason."

    def _state_until(self, condition: Callable[[VideoState], bool], limit_s: float) -> VideoState | None:
        """Ask Pod until a condition holds, at most for a while."""
        deadline = time.monotonic() + limit_s
        while True:
            state = self.pod.video_state(self.reply_to.video_id)
            if state is None or condition(state) or time.monotonic() >= deadline:
                return state
            time.sleep(self.waits.pause_s)

    @property
    def _second(self) -> SecondEncode:
        return SecondEncode.of(self.job, self.storage)

    @property
    def _expected(self) -> Expectation:
        return Expectation.of(self.step)


def _not_encoded_again(why: str) -> PermanentError:
    return PermanentError(
        "Pod refused this result, since it had imported another one meanwhile, and did not begin to encode the video "
        f"again when it was asked to{why}. Encode it again in Pod's administration.",
        kind=FailureKind.SERVICE,
    )
