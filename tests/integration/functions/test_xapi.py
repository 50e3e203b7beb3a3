"""The function xapi as it is deployed: a batch in, a report out, with an LRS in various states in between."""

import json
import threading
from pathlib import Path

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_http
from functions_framework import create_app

from podjobs.contract.statements import BATCH_EVENT_TYPE, REPORT_EVENT_TYPE, BatchReport
from support.fault_lrs import Answer, FaultLrs
from support.lrs import LOGIN, PASSWORD
from support.statements import batch_of, new_statement

ATTRIBUTES = {"type": BATCH_EVENT_TYPE, "source": "/test", "datacontenttype": "application/json"}
MAIN = Path(__file__).parents[3] / "functions/xapi/main.py"


@pytest.fixture
def lrs():
    lrs = FaultLrs()
    yield lrs
    lrs.close()


@pytest.fixture
def make_client(lrs, monkeypatch):
    def make(**settings):
        given = {"XAPI_LRS_URL": lrs.url, "XAPI_LRS_LOGIN": LOGIN, "XAPI_LRS_PWD": PASSWORD}
        for name, value in (given | {"PODJOBS_LRS_TIMEOUT_S": "1"} | settings).items():
            monkeypatch.setenv(name, value)
        return create_app("handle", str(MAIN), "http").test_client()

    return make


def ask(client, batch, mode=to_binary):
    event = CloudEvent(ATTRIBUTES, batch.model_dump(mode="json"))
    headers, body = mode(event)
    response = client.post("/", headers=headers, data=body)
    assert response.status_code == 200, response.data
    reply = from_http(dict(response.headers), response.data)
    assert (reply["type"], reply["subject"]) == (REPORT_EVENT_TYPE, "b")
    return BatchReport.model_validate(reply.data)


@pytest.mark.parametrize("mode", [to_binary, to_structured])
def test_handle_batch_is_posted_at_once_and_reported(make_client, lrs, mode):
    statements = [new_statement(number) for number in range(4)]
    report = ask(make_client(), batch_of(*statements), mode)
    assert report == BatchReport(accepted=("1-0", "1-1", "1-2", "1-3"))
    assert [asked.statements for asked in lrs.asked] == [statements]


def test_handle_invalid_statement_is_not_sent_and_the_others_are(make_client, lrs):
    report = ask(make_client(), batch_of(new_statement(1), {"id": "x"}, new_statement(2)))
    assert report.accepted == ("1-0", "1-2")
    assert [one.entry_id for one in report.refused] == ["1-1"]
    assert "id: must be a UUID" in report.refused[0].problem.detail
    assert lrs.sizes == [2]


def test_handle_statement_the_lrs_refuses_is_found(make_client, lrs):
    bad = new_statement(5)["id"]
    lrs.judge = lambda statements: Answer(400, "No such verb.") if bad in [one["id"] for one in statements] else None
    report = ask(make_client(), batch_of(*(new_statement(number) for number in range(10))))
    ((refusal,), accepted) = (report.refused, report.accepted)
    assert refusal.entry_id == "1-5"
    assert refusal.problem.detail == "The LRS answered 400: No such verb."
    assert len(accepted) == 9
    assert len(lrs.stored) == 9


def test_handle_statement_the_lrs_has_differently_is_done(make_client, lrs):
    lrs.store([new_statement(1) | {"timestamp": "2020-01-01T00:00:00Z"}])
    report = ask(make_client(), batch_of(*(new_statement(number) for number in range(4))))
    assert sorted(report.accepted) == ["1-0", "1-1", "1-2", "1-3"]
    assert len(lrs.stored) == 4


def test_handle_statement_twice_in_a_batch_is_not_an_error(make_client, lrs):
    report = ask(make_client(), batch_of(new_statement(1), new_statement(2), new_statement(1)))
    assert sorted(report.accepted) == ["1-0", "1-1", "1-2"]
    assert lrs.sizes == [2, 1]


@pytest.mark.parametrize("answer", ["hang", "close", "drop", "garbage", "trickle", "html", 500])
def test_handle_lrs_that_says_nothing_about_the_statements_keeps_them_and_they_may_be_the_cause(
    make_client, lrs, answer
):
    lrs.answers = [answer]
    client = make_client()
    report = ask(client, batch_of(new_statement(1), new_statement(2)))
    assert (report.accepted, report.refused, report.trouble.status) == ((), (), 500)
    assert ask(client, batch_of(new_statement(1), new_statement(2))).accepted == ("1-0", "1-1")


@pytest.mark.parametrize(("answer", "wait_s"), [(429, None), (Answer(503, "", {"Retry-After": "9"}), 9)])
def test_handle_lrs_that_asks_to_wait_keeps_them(make_client, lrs, answer, wait_s):
    lrs.answers = [answer]
    report = ask(make_client(), batch_of(new_statement(1)))
    assert (report.accepted, report.trouble.status, report.retry_after_s) == ((), 503, wait_s)
    assert not report.needs_operator


@pytest.mark.parametrize("status", [401, 403])
def test_handle_lrs_that_refuses_the_login_keeps_them_and_calls_the_operator(make_client, lrs, status, capfd):
    lrs.answers = [status]
    report = ask(make_client(), batch_of(new_statement(1)))
    assert report.needs_operator
    assert report.retry_after_s >= 60
    log = capfd.readouterr().err
    assert '"level": "error"' in log
    assert PASSWORD not in log + report.model_dump_json()


def test_handle_batch_partly_done_when_the_lrs_goes_down(make_client, lrs):
    lrs.answers = [400, Answer(200, "[]"), 503]
    report = ask(make_client(), batch_of(*(new_statement(number) for number in range(4))))
    assert report.accepted == ("1-0", "1-1")
    assert report.trouble.status == 503


def test_handle_batch_that_takes_too_long_keeps_the_rest_without_trouble(make_client, lrs):
    def slow(_statements):
        threading.Event().wait(0.2)
        return 400

    lrs.judge = slow
    report = ask(make_client(), batch_of(*(new_statement(number) for number in range(16)), timeout_s=2))
    assert report.trouble is None
    assert 1 < len(lrs.asked) <= 6  # of 31: requests are begun for 1 s of the 2, and fewer on a busy machine
    assert len(report.refused) <= 1


def test_handle_names_are_anonymised_if_configured(make_client, lrs):
    client = make_client(XAPI_ANONYMIZE_ACTOR="true", PODJOBS_XAPI_ANONYMIZE_KEY="0123456789abcdef")
    statement = new_statement(1) | {"actor": {"name": "Anne", "mbox": "mailto:anne@univ.fr"}}
    ask(client, batch_of(statement))
    (asked,) = lrs.asked
    assert "anne" not in json.dumps(asked.statements).lower()
    assert {**asked.statements[0], "actor": 0} == {**statement, "actor": 0}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"batch_id": "b", "entries": []}, "entries: "),
        ({"entries": [{"entry_id": "1", "statement": {}}]}, "batch_id: Field required"),
        ({"batch_id": "b", "entries": [{"entry_id": "1", "statement": []}]}, "statement: "),
        ({"batch_id": "b", "function": "studio", "entries": [{"entry_id": "1", "statement": {}}]}, "function 'studio'"),
    ],
)
def test_handle_event_that_is_not_a_batch_is_refused_with_the_reason(make_client, data, reason):
    headers, body = to_binary(CloudEvent(ATTRIBUTES, data))
    response = make_client().post("/", headers=headers, data=body)
    assert response.status_code == 400
    assert reason in json.loads(response.data)["detail"]


def test_handle_deeply_nested_event_is_refused(make_client):
    headers, _ = to_binary(CloudEvent(ATTRIBUTES, {}))
    assert make_client().post("/", headers=headers, data=b"[" * 200_000).status_code == 400


def test_handler_wrong_settings_end_the_process_with_all_faults(make_client):
    with pytest.raises(SystemExit) as ended:
        make_client(XAPI_LRS_URL="nowhere", XAPI_ANONYMIZE_ACTOR="perhaps")
    assert "XAPI_LRS_URL" in str(ended.value)
    assert "XAPI_ANONYMIZE_ACTOR" in str(ended.value)
    assert PASSWORD not in str(ended.value)


@pytest.mark.parametrize("anonymise", ["true", "false"])
def test_handle_statement_of_any_shape_is_refused_alone(make_client, lrs, anonymise):
    client = make_client(XAPI_ANONYMIZE_ACTOR=anonymise, PODJOBS_XAPI_ANONYMIZE_KEY="0123456789abcdef")
    strange = [{"actor": {"objectType": []}}, {"object": {"objectType": {}}}, {"actor": {"member": [[]]}}]
    poison = [new_statement(number) | one for number, one in enumerate(strange)]
    report = ask(client, batch_of(new_statement(8), *poison, new_statement(9)))
    assert report.accepted == ("1-0", "1-4")
    assert [one.entry_id for one in report.refused] == ["1-1", "1-2", "1-3"]
    assert "objectType must be" in report.refused[0].problem.detail
