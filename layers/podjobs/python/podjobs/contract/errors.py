"""The errors a step can end with, and their form on the wire.

What the adapter does with a failed step depends on two questions: does a retry help, and does it count?

    PermanentError   4xx  no retry: the request or the media is wrong
    RetryableError   500  retried with backoff, counts against the step's limit
    NotNowError      503  retried with backoff, does not count: nothing is wrong with the step

A step that keeps answering NotNowError fails in the end (PODJOBS_NOT_NOW_LIMIT_S), unless what it needs is missing for
every step, however often it is tried: then the error is an UnavailableError, which says so on the wire by its type.

Source: RFC 9457 (problem details for HTTP APIs).
"""

import errno
import os
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from podjobs.contract.bounds import DETAIL_BYTES, cut_context, cut_text
from podjobs.contract.failure_kinds import FailureKind

PROBLEM_CONTENT_TYPE = "application/problem+json"
UNTYPED = "about:blank"
UNAVAILABLE = "tag:esup-portail.org,2026:podjobs/unavailable"
"""The type of problems of which nothing but their end helps: the step waits for as long as they last."""
SOURCE_GONE = "tag:esup-portail.org,2026:podjobs/source-gone"
"""The type of problems of which the cause is known only to whoever requested the job: has the source moved, or was it
deleted?"""
OTHER_VERSION = "tag:esup-portail.org,2026:podjobs/other-version"
"""The type of problems of which planning the job anew helps."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The error numbers of a full disk."""
FULL_MARKS = tuple(os.strerror(code) for code in sorted(FULL))
"""How commands print these errors; but what an upload contains may be printed, too."""


class StepError(Exception):
    """A step that did not succeed. The text is one or more complete sentences for an administrator."""

    status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR
    title: ClassVar[str] = "The step failed."
    problem_type: ClassVar[str] = UNTYPED
    """The problem's `type` on the wire."""

    def __init__(self, detail: str, *, kind: FailureKind | None = None, **context: Any) -> None:
        """Keep the message and whatever helps to understand it.

        Args:
            detail: what happened, to which file or field, and what to do about it. Never contains a secret.
            kind: chooses what the person is told who has uploaded the file; None: that follows from the class.
            context: additional JSON-serialisable facts (argv, exit status, end of stderr).
        """
        super().__init__(detail)
        self.detail = detail
        self.kind = kind
        self.context = context


class PermanentError(StepError):
    """A retry cannot help: a bad request, unreadable media, a command that fails on this input."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The job cannot be done."


class OutputTooLongError(PermanentError):
    """A command wrote more than it may."""


class InvalidRequestError(PermanentError):
    """The message itself is wrong: a missing field, a bad value, a path outside the media root."""

    status = HTTPStatus.BAD_REQUEST
    title = "The request is not valid."


class OtherVersionError(InvalidRequestError):
    """What the job's plan or an earlier step left for this one is of no use: another version of the function wrote it.

    The job is planned anew, unless that did not help the last times.
    """

    problem_type = OTHER_VERSION


class RetryableError(StepError):
    """A retry may help: storage, Pod or a tool failed this time."""

    title = "The step failed this time."


class CommandStoppedError(RetryableError):
    """A command was killed: it took too long, or the machine is short of memory."""


class MissingFileError(RetryableError):
    """There is no such file (yet): a shared folder shows new files late."""


class FileChangedError(RetryableError):
    """Somebody else has changed a file since it was looked at."""


class SourceGoneError(RetryableError):
    """A job's source is not where the job says. The adapter has this looked into, and the step waits for the answer."""

    problem_type = SOURCE_GONE


class NotNowError(RetryableError):
    """The step cannot be done now, for a reason that time may mend: memory is short. It does not ask for ever."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "The step cannot be done now."

    def __init__(self, detail: str, *, retry_after_s: float | None = 5.0, **context: Any) -> None:
        """Keep the message and the wait.

        Args:
            detail: as in StepError.
            retry_after_s: seconds to wait before the next attempt; None: the adapter chooses.
            context: as in StepError.
        """
        super().__init__(detail, **context)
        self.retry_after_s = retry_after_s


class UnavailableError(NotNowError):
    """Nothing is wrong with the step: what every step needs is missing, such as a free slot, room on the disk, Pod."""

    title = "What the step needs is not available."
    problem_type = UNAVAILABLE


class OperatorNeededError(UnavailableError):
    """Nothing is wrong with the request, and nothing will change until an operator acts."""

    title = "An operator must act."


class ShutOutError(OperatorNeededError):
    """Pod or the LRS does not accept what the function shows: it is wrong, or was replaced."""

    title = "The credentials are not accepted."


def blames_disk(error: StepError) -> bool:
    """Whether a command says that the disk is full; only the storage that it wrote to can tell whether that is true."""
    return any(mark in str(error.context.get("stderr", "")) for mark in FULL_MARKS)


class Problem(BaseModel):
    """A StepError on the wire (application/problem+json) and in the job record."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    type: str = UNTYPED
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    kind: str = ""
    """One of FailureKind, or of another version; empty: whoever found it has not said it."""
    context: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_shut_out(self) -> bool:
        """Whether it says that credentials are not accepted."""
        return self.title == ShutOutError.title

    @classmethod
    def of(cls, error: StepError) -> "Problem":
        """Describe an error for the wire; what is very long is cut."""
        return cls(
            type=error.problem_type,
            title=error.title,
            status=int(error.status),
            detail=cut_text(error.detail, DETAIL_BYTES),
            kind=error.kind or "",
            context=cut_context(error.context),
        )


def list_faults(error: ValidationError) -> str:
    """Name each field and what is wrong with it; values are not repeated."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
