"""The door of every function: a CloudEvent in, a CloudEvent or a problem out.

One handler serves functions-framework (HTTP); AWS Lambda and RQ join here.
"""

import sys
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import flask
import structlog
from cloudevents.conversion import to_binary
from cloudevents.exceptions import GenericException as CloudEventError
from cloudevents.http import CloudEvent, from_http
from pydantic import ValidationError

from podjobs.contract.errors import (
    PROBLEM_CONTENT_TYPE,
    InvalidRequestError,
    NotNowError,
    Problem,
    StepError,
    list_faults,
)
from podjobs.contract.message_contracts import STEPS, MessageContract, ReplyT, RequestT
from podjobs.contract.steps import Plan, Result, Step
from podjobs.logs import configure_logs
from podjobs.settings import Settings, SettingsError, load_settings

logger = structlog.get_logger(__name__)

BUSY_RETRY_S = 2.0

HttpHandler = Callable[[flask.Request], flask.Response]


Asked_contra = TypeVar("Asked_contra", contravariant=True)
Given_co = TypeVar("Given_co", covariant=True)


class Handler(Protocol[Asked_contra, Given_co]):
    """What a subject offers: requests in, replies out."""

    def handle(self, request: Asked_contra, /) -> Given_co:
        """Perform one request; safe to repeat. Raises StepError."""


Function = Handler[Step, Plan | Result]
"""A subject that performs steps of jobs."""


class Endpoint(Generic[RequestT, ReplyT]):
    """Serves one function: reads the event, limits how many requests run at once, writes the answer."""

    def __init__(
        self, name: str, contract: MessageContract[RequestT, ReplyT], function: Handler[RequestT, ReplyT], slots: int
    ) -> None:
        """Wrap a function.

        Args:
            name: the deployable's name, as requests carry it.
            contract: what the function is asked, and what it replies.
            function: what performs the requests.
            slots: requests that may run at once; more are refused with 503 and come back.
        """
        self._name = name
        self._contract = contract
        self._function = function
        self._done, self._failed = f"A {contract.noun} is done.", f"A {contract.noun} failed."
        self._slots = threading.BoundedSemaphore(slots)

    def answer(self, headers: dict[str, str], body: bytes) -> CloudEvent:
        """Perform the request an event carries.

        Args:
            headers: of the HTTP request, binary or structured content mode.
            body: of the HTTP request.

        Returns:
            The reply event.

        Raises:
            StepError: the request did not succeed, or the event is not valid.
        """
        request = self._read(headers, body)
        with structlog.contextvars.bound_contextvars(**request.log_context):
            if not self._slots.acquire(blocking=False):
                raise NotNowError("This instance has no free slot.", retry_after_s=BUSY_RETRY_S)
            try:
                reply = self._perform(request)
            except StepError as error:
                logger.warning(self._failed, reason=error.detail, status=int(error.status))
                raise
            finally:
                self._slots.release()
            logger.info(self._done)
        kind = self._contract.type_of(reply)
        attributes = {"type": kind, "source": f"/podjobs/{self._name}", "subject": request.subject}
        return CloudEvent(attributes, reply.model_dump(mode="json"))

    def _perform(self, request: RequestT) -> ReplyT:
        try:
            return self._function.handle(request)
        except ValidationError as error:
            noun = self._contract.noun
            raise InvalidRequestError(f"The {noun}'s own data are not valid: {list_faults(error)}") from error

    def _read(self, headers: dict[str, str], body: bytes) -> RequestT:
        try:
            event = from_http(headers, body)
        except (CloudEventError, ValueError, RecursionError) as error:
            raise InvalidRequestError(f"The request is no CloudEvent: {error}") from error
        noun = self._contract.noun
        if event["type"] != self._contract.request_type:
            raise InvalidRequestError(f"Events of type {event['type']!r} are not for functions.")
        try:
            request = self._contract.request.model_validate(event.data)
        except ValidationError as error:
            raise InvalidRequestError(f"The event holds no valid {noun}: {list_faults(error)}") from error
        if request.function != self._name:
            raise InvalidRequestError(f"The {noun} is for the function {request.function!r}, this is {self._name!r}.")
        return request


def http_handler(name: str, kind: type[Settings], build: Callable[[Settings], tuple[Function, int]]) -> HttpHandler:
    """Make the handler of a function that performs steps. Arguments: see `serve_http`."""
    return serve_http(name, STEPS, kind, build)


def serve_http(
    name: str,
    contract: MessageContract[RequestT, ReplyT],
    kind: type[Settings],
    build: Callable[[Settings], tuple[Handler[RequestT, ReplyT], int]],
) -> HttpHandler:
    """Make the handler that functions-framework calls.

    Settings are read when the process starts: wrong ones end it at once, with all faults in one message.

    Args:
        name: the deployable's name.
        contract: what it is asked, and what it replies.
        kind: its settings class.
        build: makes the function and says how many requests it takes at once.
    """
    try:
        settings = load_settings(kind)
    except SettingsError as error:
        sys.exit(f"The function {name!r} cannot start. {error}")
    configure_logs(name, getattr(settings, "podjobs_log_level", "INFO"))
    function, slots = build(settings)
    endpoint = Endpoint(name, contract, function, slots)

    def handle(request: flask.Request) -> flask.Response:
        if request.method == "GET":
            return flask.Response("ok\n", 200, mimetype="text/plain")
        try:
            headers, body = to_binary(endpoint.answer(dict(request.headers), request.get_data()))
        except StepError as error:
            return _problem_response(error)
        return flask.Response(body, 200, headers)

    return handle


def _problem_response(error: StepError) -> flask.Response:
    response = flask.Response(Problem.of(error).model_dump_json(), int(error.status), mimetype=PROBLEM_CONTENT_TYPE)
    if isinstance(error, NotNowError) and error.retry_after_s is not None:
        response.headers["Retry-After"] = f"{error.retry_after_s:.0f}"
    return response
