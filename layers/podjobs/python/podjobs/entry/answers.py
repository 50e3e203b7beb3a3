"""What a function answers: a status, headers and a body, as in HTTP, whatever the transport.

Transports without HTTP carry it as an object of the form that AWS's proxies expect of a Lambda function, so that
everything that reads the answers of functions reads them alike.

Source: RFC 9457 (problems); RFC 9110, 10.2.3 (Retry-After); AWS, «Lambda proxy integrations», output format.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from podjobs.contract.errors import PROBLEM_CONTENT_TYPE
from podjobs.contract.usage import USAGE_HEADER, StepAccount
from podjobs.entry.endpoint import Failure
from podjobs.events import Event, write_event


@dataclass(frozen=True, slots=True)
class Answer:
    """A function's answer to one request."""

    status: int
    """HTTP status."""
    headers: dict[str, str]
    body: bytes

    def as_message(self) -> dict[str, Any]:
        """The answer as an object that JSON can express."""
        return {"statusCode": self.status, "headers": self.headers, "body": self.body.decode()}


def write_answer(outcome: Event | Failure) -> Answer:
    """Write what an endpoint has made of a request.

    Args:
        outcome: the reply as an event, or why there is none.
    """
    if isinstance(outcome, Event):
        headers, body = write_event(outcome)
        return Answer(HTTPStatus.OK, headers, body)
    headers = {"Content-Type": PROBLEM_CONTENT_TYPE}
    if outcome.retry_after_s is not None:
        headers["Retry-After"] = f"{outcome.retry_after_s:.0f}"
    if outcome.usage is not None:
        headers[USAGE_HEADER] = StepAccount(**outcome.usage.model_dump()).as_text()
    return Answer(outcome.problem.status, headers, outcome.problem.model_dump_json().encode())
