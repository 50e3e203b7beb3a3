"""A runner client is called when its task has ended: one call at a time, again until it has what it needs.

The decision whether to call, to wait or to be done is `choose_next` in runner_calls.py. The mark of a call is written
before it is made, so that a function that is killed leaves a trace of it.

    step `notify` ─▶ call ─┬─2xx, to a failure ────▶ done
                           ├─2xx ──────────────────▶ planned: a step `receipt-N`, which looks at what was fetched
                           ├─404, for a day ───────▶ cancelled: the task was deleted
                           ├─400 and the like ─────▶ fails
                           └─anything else ────────▶ retried

Source: docs/contract-pod-runner.md.
"""

import json
import math
import posixpath
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from podjobs.contract.errors import MissingFileError, NotNowError, PermanentError, Problem, RetryableError, StepError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.failure_sentences import Language, tell_details, tell_failure
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.ports.runner_client import ClientAnswer, RunnerClient
from podjobs.contract.ports.storage import Storage
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.runner_places import call_mark, result_folder
from podjobs.contract.steps import Step
from podjobs.contract.workflows import NOTIFICATION, NOTIFICATION_TIMEOUT_S, workflow_of
from podjobs.notification.runner_calls import (
    NOT_SENT,
    CallMark,
    Next,
    Receipt,
    RunnerWaits,
    Situation,
    Told,
    choose_next,
    next_mark,
    still_counts,
)

MESSAGE_CHARS = 4000
"""Pod stores both texts with its task, where people read them."""
MARK_BYTES = 1000
PROGRESS_LIMIT_S = 10.0
"""What follows waits for it."""
_RECEIPT = re.compile(r"receipt-(\d{1,6})")
_PERMANENT = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.GONE}
)
_LOCKED_OUT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NO_CALLBACK = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNSUPPORTED_MEDIA_TYPE})
_FROM_A_PROXY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""Something before Pod got no answer from it in time, or lost it: Pod may still be importing."""


@dataclass(frozen=True)
class RunnerSite:
    """The runner clients, and what is told them."""

    client: RunnerClient
    waits: RunnerWaits = field(default_factory=RunnerWaits)
    language: Language = "en"
    """In which people there are told why a job has failed."""


def notify_runner(
    step: Step, reply_to: RunnerCallback, site: RunnerSite, storage: Storage
) -> Result | Plan | Relocation:
    """Tell a runner client that its task has ended; safe to repeat.

    Args:
        step: with the job, and why it failed where it did.
        reply_to: the client.
        site: how clients are called.
        storage: the results.

    Raises:
        NotNowError: the client is given a moment.
        RetryableError: it is called, or looked at, again.
        PermanentError: a retry cannot help.
    """
    call = _Call(step, reply_to, site, storage, step.failure)
    version, mark = _read_mark(step.job.id, storage)
    mark = still_counts(mark, step.accepted_at)
    decision = choose_next(call.situation(mark), site.waits)
    match decision.next:
        case Next.HOLD:
            # whole seconds travel: less than one would be none
            raise NotNowError(decision.sentence, retry_after_s=math.ceil(decision.wait_s))
        case Next.WAIT:
            raise RetryableError(decision.sentence)
        case Next.GIVE_UP:
            raise call.give_up(PermanentError(decision.sentence, kind=FailureKind.SERVICE))
        case Next.DONE:
            return Result(log=(decision.sentence,))
        case Next.CALL:
            return call.make(next_mark(mark, call.told, time.time(), step.accepted_at), version)


def tell_progress(step: Step, reply_to: RunnerCallback, site: RunnerSite) -> Result:
    """Tell a client that its task goes on, if its dialect takes that; once, since nothing depends on it."""
    if reply_to.dialect != "v4" or "notify_url" not in step.private:
        return Result()
    sentence = "The video is being encoded."
    body = {"task_id": step.job.id, "status": "running", "error_message": "", "script_output": sentence}
    with suppress(StepError):
        site.client.call(step.private["notify_url"], step.private["token"], body, PROGRESS_LIMIT_S)
    return Result()


@dataclass(frozen=True)
class _Call:
    """The call that one step is about."""

    step: Step
    reply_to: RunnerCallback
    site: RunnerSite
    storage: Storage
    failure: Problem | None

    @property
    def told(self) -> Told:
        return "failed" if self.failure else "completed"

    def situation(self, mark: CallMark | None) -> Situation:
        private, now = self.step.private, time.time()
        known = private.get("answered_s_ago")
        age_s = float(known.get_secret_value()) if known else abs(now - self.step.accepted_at)
        folder = result_folder(self.step.job.id)
        names = (posixpath.relpath(key, folder) for key in self.storage.list_files(folder))
        receipt = Receipt.of(names, _fetched(self.step))
        return Situation(self.told, self.reply_to.dialect, mark, receipt, age_s, now)

    def make(self, mark: CallMark, version: str | None) -> Result | Plan | Relocation:
        """Make the call, between two writings of its mark; the first fails if another step has begun one."""
        url, token = self._address()
        key = call_mark(self.step.job.id)
        self.storage.replace(key, mark.written(), version)
        try:
            answer = self.site.client.call(url, token, self.body())
        except RetryableError as error:
            if not error.context.get("ambiguous"):
                self._note(mark, NOT_SENT)
            raise
        if answer.status not in _FROM_A_PROXY:
            self._note(mark, answer.status)
        return self._conclude(answer)

    def give_up(self, error: PermanentError) -> PermanentError:
        """The client does not import the result: it is told of a failure, so that people see one. Returns the error."""
        url, token = self._address()
        with suppress(RetryableError):
            self.site.client.call(url, token, replace(self, failure=Problem.of(error)).body())
        return error

    def _address(self) -> tuple[Any, Any]:
        try:
            return self.step.private["notify_url"], self.step.private["token"]
        except KeyError:
            raise PermanentError(
                f"Where the client {self.reply_to.client!r} wants to be called is not known any more, since the job "
                "has ended before. It asks for the task's status by itself, or has to hand the task over again.",
                kind=FailureKind.SERVICE,
            ) from None

    def _note(self, mark: CallMark, status: int) -> None:
        noted = replace(mark, status=status)
        self.storage.write(call_mark(self.step.job.id), noted.written())

    def body(self) -> dict[str, Any]:
        """What the client is told; a failure as people read it, and its details."""
        error, output = "", "\n".join(str(one["message"]) for one in self.step.results.values() if one.get("message"))
        if failure := self.failure:
            error = tell_failure(failure, self.step.job.type, self.site.language)
            output = tell_details(failure, self.site.language)
        return {
            "task_id": self.step.job.id,
            "status": self.told,
            "error_message": error[:MESSAGE_CHARS],
            "script_output": output[:MESSAGE_CHARS],
        }

    def _conclude(self, answer: ClientAnswer) -> Result | Plan | Relocation:
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return self._refused(answer)
        if self.told == "failed":
            return Result(log=("Pod was notified.",))
        found = _RECEIPT.fullmatch(self.step.step_id)
        spec = StepSpec(
            id=f"receipt-{int(found[1]) + 1 if found else 1}",
            function=NOTIFICATION.name,
            action=self.step.action,
            weight=0.1,
            timeout_s=NOTIFICATION_TIMEOUT_S,
            needs=workflow_of(self.step.job).notification_needs,
        )
        stage = Stage(name="notify", steps=(spec,))
        return Plan(shared=self.step.shared, stages=(stage,), log=("Pod was notified.",))

    def _refused(self, answer: ClientAnswer) -> Relocation:
        """The client did not take the call. Returns if the task was deleted, else raises StepError."""
        client, status = f"The client {self.reply_to.client!r}", answer.status
        said = f" It said: {answer.text}" if answer.text else ""
        if status == HTTPStatus.NOT_FOUND:
            known = self.step.private.get("answered_s_ago")
            if known and float(known.get_secret_value()) > self.site.waits.unknown_s:
                sentence = "Pod has not known the task for a day: it was deleted, and the job is cancelled."
                return Relocation(whereabouts=Whereabouts.DELETED, job=self.step.job, log=(sentence,))
            raise RetryableError(f"{client} does not know the task yet (404). It will be called again.")
        if status in _LOCKED_OUT:
            raise RetryableError(
                f"{client} refused its own token ({status}). The token of its runner manager in Pod's administration "
                "must be the one by which it hands tasks over."
            )
        if status in _NO_CALLBACK or HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise RetryableError(
                f"{client} takes no call-backs at the URL that it named (it answered {status}). Correct the address "
                "of the site in Pod's settings, or the proxy before Pod."
            )
        if status in _FROM_A_PROXY:
            detail = f"Something before {client[0].lower()}{client[1:]} answered {status}: Pod did not answer in time."
            raise RetryableError(detail, ambiguous=True)
        if status in _PERMANENT:
            raise PermanentError(f"{client} refused the call ({status}).{said}", kind=FailureKind.SERVICE)
        raise RetryableError(f"{client} answered {status}. See Pod's own log for the reason.{said}")


def _read_mark(job_id: str, storage: Storage) -> tuple[str | None, CallMark | None]:
    """The mark's version and what it says; None: there is none."""
    key = call_mark(job_id)
    version = storage.version(key)
    if version is None:
        return None, None
    try:
        with storage.open(key) as file:
            return version, CallMark.read(file.read(MARK_BYTES))
    except MissingFileError:
        return None, None


def _fetched(step: Step) -> Mapping[str, float]:
    """What the client has fetched: path → seconds ago."""
    known = step.private.get("fetched")
    text = known.get_secret_value() if known else "{}"
    try:
        return {str(path): float(age_s) for path, age_s in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
