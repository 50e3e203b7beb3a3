"""A function goes on when its secrets are rotated: no step fails of it, and nothing is restarted."""

import functools
import json
import logging
import threading

import flask
import pytest
import structlog
from pydantic import SecretStr, field_validator
from structlog.testing import capture_logs
from werkzeug.test import EnvironBuilder

from podjobs.contract.errors import ShutOutError
from podjobs.contract.message_contracts import STATEMENTS, STEPS
from podjobs.contract.plans import Result
from podjobs.contract.statements import BatchReport, Problem
from podjobs.entry.definition import FunctionDefinition, open_endpoint
from podjobs.entry.http import http_handler
from podjobs.entry.messages import message_handler
from podjobs.events import Event, write_message
from podjobs.settings import EndpointSettings
from support.jobs import encoding_job
from support.kept_secrets import SecretFile
from support.statements import batch_of, new_statement

STEP = {
    "job": encoding_job().model_dump(mode="json"), "step_id": "plan", "function": "gate", "action": "plan",
    "accepted_at": 0,
}  # fmt: skip
MESSAGE = write_message(Event(type=STEPS.request_type, source="/x", subject="s", data=json.dumps(STEP).encode()))
SECRETS = ("first-of-secrets-1", "second-of-secrets", "third-of-the-secrets")


class GateSettings(EndpointSettings):
    pod_api_token: SecretStr

    @field_validator("pod_api_token")
    @classmethod
    def _is_no_nonsense(cls, value):
        if value.get_secret_value() == "nonsense":
            raise ValueError("must make sense")
        return value


class FussyLibraryError(Exception):
    pass


class Gate:
    """Lets in who shows the right token."""

    def __init__(self):
        self.right = "first"
        self.shown = []
        self.opened = threading.Event()
        self.opened.set()
        self.entered = threading.Event()

    def build(self, settings):
        token = settings.pod_api_token.get_secret_value()
        if token == "unusable":  # noqa: S105
            raise FussyLibraryError(f"There is something about {token!r}.")
        return _Visitor(self, token), 4


class _Visitor:
    def __init__(self, gate, token):
        self._gate, self._token = gate, token

    def handle(self, request):
        self._gate.shown.append(self._token)
        self._gate.entered.set()
        assert self._gate.opened.wait(5)
        if self._token in self._gate.right.split(" or "):
            return Result() if hasattr(request, "job") else BatchReport(accepted=("1-0",))
        error = ShutOutError("The token is refused.", retry_after_s=300)
        if hasattr(request, "job"):
            raise error
        return BatchReport(trouble=Problem.of(error), needs_operator=True, retry_after_s=300)


@pytest.fixture(autouse=True)
def logs():
    """The logs' configuration belongs to the whole process, which has other tests to run."""
    root, ours = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**ours)


@pytest.fixture
def gate():
    return Gate()


def advise(settings):
    return "" if settings.pod_api_token.get_secret_value() == "second" else "The token is refused."


class GateSecret(SecretFile):
    def write(self, token, function_secret=None):
        super().write(POD_API_TOKEN=token, PODJOBS_FUNCTION_SECRET=function_secret)


@pytest.fixture
def secret(tmp_path, monkeypatch):
    secret = GateSecret(tmp_path / "secret.json")
    monkeypatch.setenv("PODJOBS_SECRETS", secret.setting)
    secret.write("first", SECRETS[0])
    return secret


@pytest.fixture
def opened(gate, secret):
    return open_endpoint(FunctionDefinition("gate", STEPS, GateSettings, gate.build))


@pytest.fixture
def ask(opened):
    """Send a step, as over a transport without HTTP; returns the answer."""
    handle = message_handler(*opened)
    return lambda: handle(MESSAGE)


def test_step_that_is_shut_out_is_repeated_at_once_with_the_new_secret(ask, gate, secret):
    assert ask()["statusCode"] == 200
    gate.right = "second"
    secret.write("second")
    secret.let_pass(60)

    assert ask()["statusCode"] == 200
    assert gate.shown == ["first", "first", "second"]


def test_step_that_is_shut_out_without_a_new_secret_may_soon_be_repeated(ask, gate, secret):
    gate.right = "second"
    secret.let_pass(60)

    answer = ask()
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "15")
    assert gate.shown == ["first"]

    secret.write("second")
    secret.let_pass(15)
    assert ask()["statusCode"] == 200


def test_secrets_are_not_read_again_and_again(ask, gate, secret):
    gate.right = "second"
    secret.let_pass(60)
    ask()
    secret.write("second")

    assert ask()["statusCode"] == 503
    assert gate.shown == ["first", "first"]


def test_batch_that_is_shut_out_is_repeated_at_once_with_the_new_secret(gate, secret):
    endpoint, settings = open_endpoint(FunctionDefinition("xapi", STATEMENTS, GateSettings, gate.build))
    batch = batch_of(new_statement(1)).model_dump_json().encode()
    message = write_message(Event(type=STATEMENTS.request_type, source="/x", subject="b", data=batch))
    handle = message_handler(endpoint, settings)

    gate.right = "second"
    secret.let_pass(60)
    report = json.loads(handle(message)["body"])
    assert (report["accepted"], report["retry_after_s"]) == ([], 15)

    secret.write("second")
    secret.let_pass(60)
    assert json.loads(handle(message)["body"])["accepted"] == ["1-0"]


def test_secrets_that_are_old_are_read_again_beside_the_requests(ask, gate, secret):
    secret.write("second")
    secret.let_pass(secret.held.ttl_s)

    gate.right = "first or second"
    assert ask()["statusCode"] == 200
    secret.held._reading.join(5)
    assert ask()["statusCode"] == 200

    assert gate.shown[-1] == "second"


def test_advice_of_the_start_ends_with_the_secret_that_it_was_about(gate, secret):
    endpoint, _ = open_endpoint(FunctionDefinition("gate", STEPS, GateSettings, gate.build, advise))
    assert endpoint.advice == "The token is refused."
    secret.write("second")
    secret.held.renew(0)
    assert endpoint.advice == ""


def test_step_in_work_ends_with_the_secret_that_it_began_with(ask, gate, secret):
    gate.opened.clear()
    answers = []
    working = threading.Thread(target=lambda: answers.append(ask()))
    working.start()
    assert gate.entered.wait(5)
    secret.write("second")
    secret.held.renew(0)
    gate.opened.set()
    working.join(5)

    assert answers[0]["statusCode"] == 200
    assert gate.shown == ["first"]


def test_faulty_new_secret_is_told_and_the_old_one_goes_on(ask, gate, secret):
    for text in ('{"POD_API_TOKEN": "nonsense"}', "{}", '{"POD_API_TOKKEN": "x"}', "[1]", "not JSON"):
        secret.path.write_text(text)
        with capture_logs() as logs:
            secret.held.renew(0)
        assert [line["log_level"] for line in logs] == ["error"], text
        assert "nonsense" not in str(logs)
        assert ask()["statusCode"] == 200
        assert "is still used." in secret.held.advice
    assert set(gate.shown) == {"first"}

    secret.write("first")
    secret.held.renew(0)
    assert secret.held.advice == ""


def test_what_a_library_says_of_a_new_secret_is_not_repeated(ask, secret):
    secret.write("unusable")
    with capture_logs() as logs:
        secret.held.renew(0)

    assert [(line["log_level"], line["reason"]) for line in logs] == [("error", "FussyLibraryError")]
    assert "unusable" not in str(logs) + secret.held.advice
    assert ask()["statusCode"] == 200


def knock_at(handle, shown):
    """Ask over HTTP with a secret of the functions; returns the status."""
    headers = {"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {shown}"}
    builder = EnvironBuilder(method="POST", headers=headers, data=json.dumps(MESSAGE))
    return handle(flask.Request(builder.get_environ())).status_code


@pytest.fixture
def knock(opened):
    return functools.partial(knock_at, http_handler(*opened))


def test_functions_secret_of_before_is_accepted_for_a_while(knock, secret):
    secret.write("first", SECRETS[1])
    secret.held.renew(0)

    assert [knock(shown) for shown in SECRETS] == [200, 200, 401]

    value, until_s = secret.held._previous
    secret.held._previous = (value, until_s - 3600)
    assert [knock(shown) for shown in SECRETS] == [401, 200, 401]


def test_functions_secret_that_the_adapter_learnt_first_is_looked_for_and_accepted(knock, secret):
    secret.write("first", SECRETS[1])
    secret.let_pass(60)

    assert knock(SECRETS[1]) == 200


def test_functions_secret_that_is_taken_away_does_not_open_the_function(knock, secret):
    secret.write("first")
    secret.held.renew(0)

    assert [knock(SECRETS[0]), knock("any")] == [200, 401]


def test_functions_secret_of_the_environment_takes_precedence(gate, secret, monkeypatch):
    monkeypatch.setenv("PODJOBS_FUNCTION_SECRET", SECRETS[2])
    handle = http_handler(*open_endpoint(FunctionDefinition("gate", STEPS, GateSettings, gate.build)))

    assert [knock_at(handle, shown) for shown in SECRETS] == [401, 401, 200]
