"""What the endpoint's answers are over HTTP."""

import io
import json

import flask
import pytest
from werkzeug.test import EnvironBuilder

from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.http import http_handler
from podjobs.events import Event, read_event, write_event
from podjobs.settings import EndpointSettings
from support.jobs import encoding_job

STEP = {
    "job": encoding_job("job-1", 7, "/media/videos/été.mp4").model_dump(mode="json"),
    "step_id": "plan",
    "function": "encoding",
    "action": "plan",
    "accepted_at": 0,
}


class Fixed:
    def __init__(self, outcome):
        self.outcome = outcome

    def handle(self, _step):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def handler_of(outcome, secret=None):
    settings = EndpointSettings(podjobs_function_secret=secret)
    return http_handler(Endpoint("encoding", STEPS, Fixed(outcome), 1), settings)


def request_of(method="POST", headers=None, body=None):
    if headers is None:
        headers, body = write_event(Event(type=STEP_EVENT_TYPE, source="/x", data=json.dumps(STEP).encode()))
    return flask.Request(EnvironBuilder(method=method, headers=headers, data=body).get_environ())


def ask(outcome):
    return handler_of(outcome)(request_of())


def test_reply_is_an_event_in_binary_mode():
    response = ask(Result(log=("Fait : été.",)))
    assert (response.status_code, response.mimetype) == (200, "application/json")
    reply = read_event(response.headers, response.get_data())
    assert STEPS.read_reply(reply.type, reply.data) == Result(log=("Fait : été.",))
    assert reply.subject == "job-1/plan"


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (PermanentError("The reason."), 422, None),
        (RetryableError("The reason."), 500, None),
        (NotNowError("The reason."), 503, "5"),
        (NotNowError("The reason.", retry_after_s=59.6), 503, "60"),
        (NotNowError("The reason.", retry_after_s=None), 503, None),
    ],
)
def test_failure_is_a_problem_with_its_status_and_the_time_of_the_next_attempt(error, status, retry_after):
    response = ask(error)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    problem = json.loads(response.get_data())
    assert (problem["status"], problem["detail"], problem["title"]) == (status, "The reason.", error.title)
    assert response.headers.get("Retry-After") == retry_after


SECRET = "s3cret-s3cret-s3cret"  # noqa: S105 - made for these tests
RIGHT = {"Authorization": f"Bearer {SECRET}"}
EVENT_HEADERS, EVENT = write_event(Event(type=STEP_EVENT_TYPE, source="/x", data=json.dumps(STEP).encode()))


def post(headers, body=EVENT, secret=SECRET, method="POST"):
    return handler_of(Result(), secret)(request_of(method, headers, body))


def detail_of(response):
    assert response.mimetype == "application/problem+json"
    return json.loads(response.get_data())["detail"]


@pytest.mark.parametrize("given", [f"Bearer {SECRET}", f"bearer {SECRET}", f"Bearer   {SECRET} "])
def test_request_with_the_secret_is_answered(given):
    assert post(EVENT_HEADERS | {"Authorization": given}).status_code == 200


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", SECRET, f"Basic {SECRET}", f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}", "Bearer \xe9"],
)
def test_request_without_the_secret_is_refused_before_its_body_is_read(given):
    request = request_of(headers=EVENT_HEADERS | {"Authorization": given}, body=EVENT)
    response = handler_of(Result(), SECRET)(request)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="podjobs"')
    assert "PODJOBS_FUNCTION_SECRET must be the same for the adapter and the function." in detail_of(response)
    assert SECRET not in response.get_data(as_text=True)
    assert request.environ["wsgi.input"].tell() == 0


@pytest.mark.parametrize("secret", [SECRET, None])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_request_of_a_web_page_is_refused(method, secret):
    response = post(EVENT_HEADERS | RIGHT | {"Origin": "http://127.0.0.1"}, secret=secret, method=method)
    assert response.status_code == 403
    assert "Origin" in detail_of(response)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "NONSENSE"])
def test_request_with_another_method_is_refused(method):
    response = post(EVENT_HEADERS | RIGHT, method=method)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a/b, application/json"],
)
def test_request_a_browser_sends_without_asking_is_refused(kind):
    response = post(EVENT_HEADERS | RIGHT | {"content-type": kind}, json.dumps({"specversion": "1.0"}).encode())
    assert response.status_code == 415
    assert "application/cloudevents+json" in detail_of(response)


def test_request_in_json_without_the_headers_of_an_event_is_refused():
    assert post(RIGHT | {"Content-Type": "application/json"}, EVENT).status_code == 415


def test_request_that_says_it_is_too_long_is_refused_before_its_body_is_read():
    request = request_of(headers=EVENT_HEADERS | RIGHT, body=EVENT)
    request.environ["CONTENT_LENGTH"] = str(REQUEST_BYTES + 1)
    response = handler_of(Result(), SECRET)(request)
    assert response.status_code == 413
    assert f"longer than {REQUEST_BYTES} bytes" in detail_of(response)
    assert request.environ["wsgi.input"].tell() == 0


def test_request_that_turns_out_too_long_is_not_read_to_its_end():
    request = request_of(headers=EVENT_HEADERS | RIGHT, body=EVENT)
    endless = io.BytesIO(bytes(3 * REQUEST_BYTES))
    del request.environ["CONTENT_LENGTH"]
    request.environ |= {"wsgi.input": endless, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert handler_of(Result(), SECRET)(request).status_code == 413
    assert endless.tell() <= REQUEST_BYTES + 64 * 1024


def test_request_that_breaks_off_is_refused():
    request = request_of(headers=EVENT_HEADERS | RIGHT, body=EVENT)
    request.environ["CONTENT_LENGTH"] = str(len(EVENT) + 1)
    response = handler_of(Result(), SECRET)(request)
    assert (response.status_code, detail_of(response)) == (400, "The request's body could not be read to its end.")


def test_question_without_the_secret_is_told_that_the_function_is_there_and_no_more():
    endpoint = Endpoint("encoding", STEPS, Fixed(Result()), 1, advice="Give the user access to /media.")
    handle = http_handler(endpoint, EndpointSettings(podjobs_function_secret=SECRET))
    assert handle(request_of("GET", {})).get_data() == b"ok\n"
    assert handle(request_of("GET", RIGHT)).get_data() == b"ok\nGive the user access to /media.\n"
    assert handle(request_of("GET", {"Authorization": "Bearer wrong"})).status_code == 401


def test_function_without_a_secret_says_so_to_everybody():
    response = handler_of(Result())(request_of("GET", {}))
    assert response.status_code == 200
    assert response.get_data(as_text=True).startswith("ok\nPODJOBS_FUNCTION_SECRET is not set: whoever reaches this")


def test_response_is_not_in_one_piece():
    """functions-framework would read the whole request into memory before it sent the response."""
    for headers in (EVENT_HEADERS, EVENT_HEADERS | RIGHT):
        response = post(headers)
        assert response.is_streamed
        assert response.content_length == len(response.get_data())
