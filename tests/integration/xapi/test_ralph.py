"""From Pod's Celery client to a real LRS and back: what was sent is what is read."""

import json
from pathlib import Path

import pytest
import redis
from celery import Celery

from adapter.door.statement_intake import STATEMENT_TASK
from adapter.redis import keys
from support.processes import wait_for
from support.real_lrs import Ralph
from support.statements import messages_of, new_statement
from support.xapi_stack import running_stack

MESSAGES = Path(__file__).parents[2] / "data" / "pod-4.1-messages"
SETTINGS = {"PODJOBS_XAPI_BATCH_WAIT_S": "0.2", "PODJOBS_BUSY_CAP_S": "1", "PODJOBS_XAPI_BATCH_STATEMENTS": "100"}
LIMIT_S = 60


@pytest.fixture(scope="module")
def ralph(tmp_path_factory):
    ralph = Ralph(tmp_path_factory.mktemp("ralph") / "lrs").start()
    yield ralph
    ralph.stop()


@pytest.fixture(scope="module")
def stack(ralph, tmp_path_factory):
    with running_stack(tmp_path_factory.mktemp("stack"), latency_ms=0, settings=SETTINGS, lrs_url=ralph.url) as running:
        yield running


@pytest.fixture
def settled(stack):
    """Wait until nothing is on its way; dead letters do not count."""

    def wait():
        wait_for(lambda: set(stack.left()) <= {keys.DEAD}, LIMIT_S)

    yield wait
    stack.redis.delete(keys.DEAD)


@pytest.fixture
def status(stack):
    def read():
        return status_of(stack)

    return read


def status_of(stack):
    return stack.adapter.get("status").json()


def read_back(ralph):
    """What ralph has, by id, without what it adds."""
    found = {}
    for statement in ralph.statements():
        assert statement["id"] not in found
        found[statement["id"]] = {name: statement[name] for name in statement if name not in {"stored", "authority"}}
    return found


def test_statements_of_pod_are_in_the_lrs_word_for_word(stack, ralph, settled):
    recorded = [json.loads((MESSAGES / f"{name}.body.json").read_text())[0][0] for name in RECORDED]
    for name in RECORDED:
        with redis.Redis.from_url(stack.broker_url) as broker:
            broker.lpush("xapi", (MESSAGES / f"{name}.json").read_bytes())
    sent = [new_statement(number) for number in range(240)]
    with Celery("pod", broker=stack.broker_url, backend=None) as app:
        for statement in sent:
            app.send_task(STATEMENT_TASK, args=[statement], queue="xapi")
    settled()
    found = read_back(ralph)
    for statement in [*recorded, *sent]:
        assert found[statement["id"]] == statement
    assert stack.redis.xlen(keys.DEAD) == 0


RECORDED = ("xapi_played", "xapi_terminated")


def test_statements_sent_again_are_in_the_lrs_once(stack, ralph, settled):
    stack.push(messages_of(1000, 130))
    settled()
    stack.push(messages_of(1000, 130))
    stack.push(messages_of(1060, 130))
    settled()
    found = read_back(ralph)
    assert {new_statement(number)["id"] for number in range(1000, 1190)} <= set(found)
    assert stack.redis.xlen(keys.DEAD) == 0


def test_statement_without_id_and_time_gets_both(stack, ralph, settled):
    bare = {name: value for name, value in new_statement(2000).items() if name not in {"id", "timestamp"}}
    before = set(read_back(ralph))
    with Celery("pod", broker=stack.broker_url, backend=None) as app:
        app.send_task(STATEMENT_TASK, args=[bare], queue="xapi")
    settled()
    found = read_back(ralph)
    (new,) = set(found) - before
    assert {name: found[new][name] for name in bare} == bare
    assert found[new]["timestamp"]


def test_invalid_statements_become_dead_letters_with_the_reason_and_the_others_arrive(stack, ralph, settled):
    """One is found wrong before it leaves; one is refused by ralph (it wants an id in every object)."""
    stack.push(messages_of(3050, 1))
    settled()
    no_actor = {name: value for name, value in new_statement(3010).items() if name != "actor"}
    about_a_person = new_statement(3020) | {"object": {"objectType": "Agent", "mbox": "mailto:a@b.fr"}}
    known_differently = new_statement(3050) | {"timestamp": "2020-01-01T00:00:00.000Z"}
    with Celery("pod", broker=stack.broker_url, backend=None) as app:
        for statement in [
            *(new_statement(number) for number in range(3000, 3010)),
            no_actor,
            about_a_person,
            known_differently,
            *(new_statement(number) for number in range(3030, 3040)),
        ]:
            app.send_task(STATEMENT_TASK, args=[statement], queue="xapi")
    settled()
    entries = [fields for _, fields in stack.redis.xrange(keys.DEAD)]
    reasons = {json.loads(entry["statement"])["id"]: json.loads(entry["problem"])["detail"] for entry in entries}
    assert reasons.keys() == {no_actor["id"], about_a_person["id"]}
    assert "actor: Field required" in reasons[no_actor["id"]]
    assert "The LRS answered 422" in reasons[about_a_person["id"]]
    found = read_back(ralph)
    good = {new_statement(number)["id"] for number in (*range(3000, 3010), *range(3030, 3040))}
    assert good <= set(found)
    assert found[new_statement(3050)["id"]] == new_statement(3050)


@pytest.mark.slow
def test_lrs_that_is_down_or_fails_gets_all_when_it_works_again(stack, ralph, settled, status):
    ralph.stop()
    stack.push(messages_of(4000, 250))
    wait_for(lambda: "cannot be reached" in status()["functions"]["xapi"]["trouble"], LIMIT_S)
    # as ralph is out of the box: its file is there, so each request ends with 500 «bulk indexation failed»
    ralph.start(appends=False)
    wait_for(lambda: "bulk indexation failed" in status()["functions"]["xapi"]["trouble"], LIMIT_S)
    assert stack.redis.xlen(keys.STATEMENTS) == 250
    ralph.stop()
    ralph.start()
    settled()
    found = read_back(ralph)
    assert {new_statement(number)["id"] for number in range(4000, 4250)} <= set(found)
    assert stack.redis.xlen(keys.DEAD) == 0
    assert status()["functions"]["xapi"]["trouble"] == ""


@pytest.mark.slow
def test_lrs_that_refuses_the_login_loses_nothing_and_the_operator_is_notified(ralph, tmp_path):
    """The password was changed in the LRS; when the setting is corrected and the function restarted, all arrive."""
    other = Ralph(tmp_path / "lrs", password="another").start()  # noqa: S106 - made for this test
    before = set(read_back(ralph))
    try:
        quick = SETTINGS | {"PODJOBS_LEASE_S": "2", "PODJOBS_SWEEP_S": "0.5"}
        with running_stack(tmp_path / "stack", latency_ms=0, settings=quick, lrs_url=other.url) as stack:
            stack.push(messages_of(5000, 30))
            wait_for(lambda: "XAPI_LRS_PWD is wrong" in status_of(stack)["functions"]["xapi"]["trouble"], LIMIT_S)
            assert any(
                line["level"] == "error" and "XAPI_LRS_PWD" in line.get("reason", "") for line in stack.adapter.lines()
            )
            assert stack.redis.xlen(keys.STATEMENTS) == 30
            assert stack.redis.xlen(keys.DEAD) == 0
            stack.function.kill()
            stack.function.settings["XAPI_LRS_URL"] = ralph.url
            stack.function.start()
            stack.function.wait()
            stack.adapter.kill()
            stack.adapter.start()
            wait_for(lambda: not stack.left(), LIMIT_S)
    finally:
        other.stop()
    assert set(read_back(ralph)) - before == {new_statement(number)["id"] for number in range(5000, 5030)}
