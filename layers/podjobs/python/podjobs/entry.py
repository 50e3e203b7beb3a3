"""The door of every function: a CloudEvent in, a CloudEvent or a problem out.

One handler serves functions-framework (HTTP); AWS Lambda and RQ join here.
"""

import sys
import threading
from collections.abc import Callable
from typing import Protocol

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
from podjobs.contract.steps import PLAN_EVENT_TYPE, RESULT_EVENT_TYPE, STEP_EVENT_TYPE, Plan, Result, Step
from podjobs.logs import configure_logs
from podjobs.settings import Settings, SettingsError, load_settings

logger = structlog.get_logger(__name__)

BUSY_RETRY_S = 2.0

HttpHandler = Callable[[flask.Request], flask.Response]


class Function(Protocol):
    """What a subject offers: steps in, replies out."""

    def perform(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat. Raises StepError."""


class Endpoint:
    """Serves one function: reads the event, limits how many steps run at once, writes the answer."""

    def __init__(self, name: str, function: Function, slots: int) -> None:
        """Wrap a function.

        Args:
            name: the deployable's name, as steps carry it.
            function: what performs the steps.
            slots: steps that may run at once; more are refused with 503 and come back.
        """
        self._name = name
        self._function = function
        self._slots = threading.BoundedSemaphore(slots)

    def answer(self, headers: dict[str, str], body: bytes) -> CloudEvent:
        """Perform the step an event carries.

        Args:
            headers: of the HTTP request, binary or structured content mode.
            body: of the HTTP request.

        Returns:
            The reply event.

        Raises:
            StepError: the step did not succeed, or the event is not valid.
        """
        step = self._read(headers, body)
        with structlog.contextvars.bound_contextvars(job_id=step.job.id, step_id=step.step_id, attempt=step.attempt):
            if not self._slots.acquire(blocking=False):
                raise NotNowError("This instance has no free slot.", retry_after_s=BUSY_RETRY_S)
            try:
                reply = self._perform(step)
            except StepError as error:
                logger.warning("A step failed.", reason=error.detail, status=int(error.status))
                raise
            finally:
                self._slots.release()
            logger.info("A step is done.")
        kind = PLAN_EVENT_TYPE if isinstance(reply, Plan) else RESULT_EVENT_TYPE
        attributes = {"type": kind, "source": f"/podjobs/{self._name}", "subject": f"{step.job.id}/{step.step_id}"}
        return CloudEvent(attributes, reply.model_dump(mode="json"))

    def _perform(self, step: Step) -> Plan | Result:
        try:
            return self._function.perform(step)
        except ValidationError as error:
            raise InvalidRequestError(f"The step's own data are not valid: {list_faults(error)}") from error

    def _read(self, headers: dict[str, str], body: bytes) -> Step:
        try:
            event = from_http(headers, body)
        except (CloudEventError, ValueError) as error:
            raise InvalidRequestError(f"The request is no CloudEvent: {error}") from error
        if event["type"] != STEP_EVENT_TYPE:
            raise InvalidRequestError(f"Events of type {event['type']!r} are not for functions.")
        try:
            step = Step.model_validate(event.data)
        except ValidationError as error:
            raise InvalidRequestError(f"The event holds no valid step: {list_faults(error)}") from error
        if step.function != self._name:
            raise InvalidRequestError(f"The step is for the function {step.function!r}, this is {self._name!r}.")
        return step


def http_handler(name: str, kind: type[Settings], build: Callable[[Settings], tuple[Function, int]]) -> HttpHandler:
    """Make the handler that functions-framework calls.

    Settings are read when the process starts: wrong ones end it at once, with all faults in one message.

    Args:
        name: the deployable's name.
        kind: its settings class.
        build: makes the function and says how many steps it takes at once.
    """
    try:
        settings = load_settings(kind)
    except SettingsError as error:
        sys.exit(f"The function {name!r} cannot start. {error}")
    configure_logs(name, getattr(settings, "podjobs_log_level", "INFO"))
    endpoint = Endpoint(name, *build(settings))

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
    if isinstance(error, NotNowError):
        response.headers["Retry-After"] = f"{error.retry_after_s:.0f}"
    return response
