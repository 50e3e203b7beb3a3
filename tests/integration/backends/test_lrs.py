"""Every response an LRS may give, each from a real server, and what it means to us."""

import http.server
import json
import threading
import time

import pytest

from podjobs.backends.lrs import HttpLrs
from podjobs.contract.errors import NotNowError, OperatorNeededError, RetryableError
from support.fault_lrs import Answer, FaultLrs
from support.lrs import LOGIN, PASSWORD
from support.statements import new_statement

STATEMENTS = [new_statement(number) for number in range(3)]


@pytest.fixture
def lrs():
    lrs = FaultLrs()
    yield lrs
    lrs.close()


def client(lrs, timeout_s=5, **changes):
    given = {"login": LOGIN, "password": PASSWORD, "version": "1.0.3", "timeout_s": timeout_s, "connections": 4}
    return HttpLrs(lrs.url, **(given | changes))


def test_post_sends_one_array_with_login_and_version_on_one_connection(lrs):
    backend = client(lrs)
    for number in range(5):
        assert backend.post([new_statement(number), new_statement(number + 10)]).is_accepted
    first, *_ = lrs.asked
    assert first.statements == [new_statement(0), new_statement(10)]
    assert first.headers["X-Experience-API-Version"] == "1.0.3"
    assert first.headers["Authorization"] == "Basic bHJzOnMzY3JldC1wYXNz"
    assert first.headers["Content-Type"] == "application/json"
    assert len({asked.connection for asked in lrs.asked}) == 1


@pytest.mark.parametrize(
    ("answer", "accepted", "conflict"),
    [
        (Answer(200, json.dumps([one["id"] for one in STATEMENTS])), True, False),
        (Answer(200, json.dumps([STATEMENTS[1]["id"].upper()])), True, False),  # ralph lists those that are new to it
        (204, True, False),
        (409, False, True),
        (400, False, False),
        (413, False, False),
        (422, False, False),
    ],
)
def test_post_answers_about_the_statements(lrs, answer, accepted, conflict):
    lrs.answers = [answer]
    said = client(lrs).post(STATEMENTS)
    assert (said.is_accepted, said.is_conflict) == (accepted, conflict)


def test_post_reason_of_a_refusal_is_the_lrss(lrs):
    lrs.answers = [Answer(400, json.dumps({"detail": "actor:\n field required"}))]
    assert client(lrs).post(STATEMENTS).reason == 'The LRS answered 400: {"detail": "actor:\\n field required"}'


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "XAPI_LRS_PWD is wrong"), (403, "may not write"), (404, "XAPI_LRS_URL"), (405, "URL")]
)
def test_post_answers_that_need_an_operator(lrs, status, remedy):
    lrs.answers = [status]
    with pytest.raises(OperatorNeededError, match=remedy) as failed:
        client(lrs).post(STATEMENTS)
    assert failed.value.retry_after_s >= 60
    assert PASSWORD not in failed.value.detail


def test_post_redirection_is_not_followed_and_named(lrs):
    lrs.answers = [Answer(302, headers={"Location": "https://elsewhere.example.org/"})]
    with pytest.raises(OperatorNeededError, match="elsewhere"):
        client(lrs).post(STATEMENTS)
    assert len(lrs.asked) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(("headers", "wait_s"), [({}, None), ({"Retry-After": "17"}, 17), ({"Retry-After": "x"}, None)])
def test_post_answers_that_ask_to_wait(lrs, status, headers, wait_s):
    lrs.answers = [Answer(status, "Busy.", headers)]
    with pytest.raises(NotNowError) as failed:
        client(lrs).post(STATEMENTS)
    assert failed.value.retry_after_s == wait_s
    assert not isinstance(failed.value, OperatorNeededError)


@pytest.mark.parametrize(
    "answer",
    [500, 501, 418, 201, "drop", "close", "garbage", "html", Answer(200, "{}"), Answer(200, ""), Answer(200, '["x"]')],
    ids=str,
)
def test_post_answers_that_say_nothing_about_the_statements(lrs, answer):
    lrs.answers = [answer]
    with pytest.raises(RetryableError) as failed:
        client(lrs).post(STATEMENTS)
    assert not isinstance(failed.value, NotNowError)
    assert "Bearer" not in failed.value.detail
    assert PASSWORD not in failed.value.detail


@pytest.mark.parametrize("answer", ["hang", "trickle"])
def test_post_lrs_that_never_ends_its_answer_is_abandoned(lrs, answer):
    lrs.answers = [answer]
    begun = time.monotonic()
    with pytest.raises(RetryableError, match="1 s"):
        client(lrs, timeout_s=1).post(STATEMENTS)
    assert time.monotonic() - begun < 15


def test_post_lrs_that_cannot_be_reached(lrs):
    lrs.close()
    with pytest.raises(NotNowError, match=r"cannot be reached.*Is it running") as failed:
        client(lrs).post(STATEMENTS)
    assert failed.value.retry_after_s is None


def test_post_endless_answer_is_cut_off():
    class Endless(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            while True:
                try:
                    self.wfile.write(b" " * (1 << 20))
                except OSError:
                    return

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        class Where:
            url = f"http://127.0.0.1:{server.server_port}/"

        with pytest.raises(RetryableError, match="longer than"):
            client(Where, timeout_s=30).post(STATEMENTS)
        server.shutdown()


def test_post_after_a_broken_answer_the_next_one_works(lrs):
    lrs.answers = ["close", "garbage", "hang"]
    backend = client(lrs, timeout_s=0.5)
    for _ in range(3):
        with pytest.raises(RetryableError):
            backend.post(STATEMENTS)
    assert backend.post(STATEMENTS).is_accepted
