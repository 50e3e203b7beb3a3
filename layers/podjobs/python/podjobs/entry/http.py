"""Functions over HTTP, for functions-framework: an event in a request, its reply or a problem in the response."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import flask
import structlog

from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, InvalidRequestError, Problem
from podjobs.contract.message_contracts import ReplyT, RequestT
from podjobs.entry.admission import QUESTIONS, RefusedError, admit, knows_secret, read_body
from podjobs.entry.answers import write_answer
from podjobs.entry.endpoint import Endpoint, Failure
from podjobs.events import Event, EventError, read_event
from podjobs.secret_store import FUNCTION_SECRET
from podjobs.secret_store.held import held_secrets
from podjobs.secret_store.setting import SecretSetting
from podjobs.settings import EndpointSettings

logger = structlog.get_logger(__name__)

HttpHandler = Callable[[flask.Request], flask.Response]
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
OPEN_TO_ALL = (
    "PODJOBS_FUNCTION_SECRET is not set: whoever reaches this function can have files read and written by it. Set the "
    "same secret for the adapter and all functions."
)


def http_handler(endpoint: Endpoint[RequestT, ReplyT], settings: EndpointSettings) -> HttpHandler:
    """Create what functions-framework calls for every request; it must be a plain function."""
    given = settings.podjobs_function_secret
    secret = SecretSetting(FUNCTION_SECRET, given.get_secret_value() if given else None)
    if not secret.is_set:
        logger.warning(OPEN_TO_ALL)
        endpoint.openness = OPEN_TO_ALL

    def handle(request: flask.Request) -> flask.Response:
        endpoint.wake()
        try:
            admit(request, secret)
            if request.method in QUESTIONS:
                # advice names folders: it is for those who could use the function anyway
                advice = _advise(endpoint) if secret.is_set and knows_secret(request, secret) else ""
                advice = advice if secret.is_set else OPEN_TO_ALL
                return _respond(HTTPStatus.OK, f"ok\n{advice}".rstrip() + "\n", TEXT)
            event = read_event(dict(request.headers), read_body(request))
        except RefusedError as error:
            return _refuse(error)
        except EventError as error:
            return _send(Failure.of(InvalidRequestError(f"The request is not a CloudEvent: {error}")))
        return _send(endpoint.answer(event))

    return handle


def _advise(endpoint: Endpoint[RequestT, ReplyT]) -> str:
    held = held_secrets()
    return "\n".join(filter(None, (endpoint.advice, held.advice if held else "")))


def _refuse(refusal: RefusedError) -> flask.Response:
    logger.warning("A request was refused.", reason=refusal.detail, status=int(refusal.status))
    problem = Problem(title="The request was refused.", status=int(refusal.status), detail=refusal.detail)
    return _respond(
        refusal.status, problem.model_dump_json(), {"Content-Type": PROBLEM_CONTENT_TYPE, **refusal.headers}
    )


def _send(outcome: Event | Failure) -> flask.Response:
    answer = write_answer(outcome)
    return _respond(answer.status, answer.body, answer.headers)


def _respond(status: int, text: str | bytes, headers: Mapping[str, str]) -> flask.Response:
    body = text.encode() if isinstance(text, str) else text
    # an iterator: before a response in one piece, functions-framework reads the whole request into memory
    response = flask.Response(iter((body,)), status, headers)
    response.content_length = len(body)
    return response
