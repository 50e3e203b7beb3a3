"""Functions over HTTP, for functions-framework: an event in a request, its reply or a problem in the response.

Source: RFC 9457 (problems); RFC 9110, 10.2.3 (Retry-After).
"""

from collections.abc import Callable

import flask

from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, InvalidRequestError
from podjobs.contract.message_contracts import ReplyT, RequestT
from podjobs.entry.endpoint import Endpoint, Failure
from podjobs.events import EventError, read_event, write_event

HttpHandler = Callable[[flask.Request], flask.Response]


def http_handler(endpoint: Endpoint[RequestT, ReplyT]) -> HttpHandler:
    """Create what functions-framework calls for every request; it must be a plain function."""

    def handle(request: flask.Request) -> flask.Response:
        if request.method == "GET":
            return flask.Response(f"ok\n{endpoint.advice}".rstrip() + "\n", 200, mimetype="text/plain")
        try:
            event = read_event(dict(request.headers), request.get_data())
        except EventError as error:
            return _response_to(Failure.of(InvalidRequestError(f"The request is not a CloudEvent: {error}")))
        answer = endpoint.answer(event)
        if isinstance(answer, Failure):
            return _response_to(answer)
        headers, body = write_event(answer)
        return flask.Response(body, 200, headers)

    return handle


def _response_to(failure: Failure) -> flask.Response:
    problem = failure.problem
    response = flask.Response(problem.model_dump_json(), problem.status, mimetype=PROBLEM_CONTENT_TYPE)
    if failure.retry_after_s is not None:
        response.headers["Retry-After"] = f"{failure.retry_after_s:.0f}"
    return response
