"""A function's looks are made all at once, and end in time."""

import threading
import time

import pytest

from podjobs.contract.errors import RetryableError
from podjobs.contract.examinations import EXAMINATION_EVENT_TYPE, ExaminationRequest, Verdict
from podjobs.contract.looks import Look, found
from podjobs.contract.message_contracts import EXAMINATIONS, STEPS
from podjobs.entry.endpoint import Endpoint, Failure
from podjobs.entry.looking import look_at_all
from podjobs.events import Event


def raising(error):
    def find():
        raise error

    return find


def test_look_that_hangs_is_said_and_the_others_are_told():
    may_end = threading.Event()
    looks = [
        Look("media", "slow", lambda: may_end.wait(20) and []),
        Look("media", "quick", lambda: [found("media", "quick", "", "Well.")]),
    ]
    began_s = time.monotonic()
    slow, quick = look_at_all(looks, 0.2)
    assert time.monotonic() - began_s < 5
    may_end.set()
    assert (slow.part, slow.verdict) == ("slow", Verdict.FAULT)
    assert slow.said == "Nothing was found out within 0.2 s: what it needs does not answer."
    assert (quick.verdict, quick.said) == (Verdict.OK, "Well.")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RetryableError("The disk is away."), "The disk is away."),
        (KeyError("x"), "It could not be examined: KeyError. The function's log has the traceback."),
    ],
)
def test_look_that_fails_is_a_fault_of_its_own(error, said):
    (finding,) = look_at_all([Look("media", "root", raising(error))], 5)
    assert (finding.verdict, finding.said) == (Verdict.FAULT, said)


def ask(endpoint, data):
    return endpoint.answer(Event(type=EXAMINATION_EVENT_TYPE, source="/x", data=data))


def test_endpoint_answers_an_examination_while_all_its_slots_are_taken():
    endpoint = Endpoint("encoding", STEPS, None, 1)
    endpoint.looks = lambda: [Look("media", "root", lambda: [found("media", "root", "It is away.")])]
    request = ExaminationRequest(function="encoding", limit_s=1).model_dump_json().encode()
    with endpoint._slot():
        reply = ask(endpoint, request)
    report = EXAMINATIONS.read_reply(reply.type, reply.data)
    assert (report.function, [finding.said for finding in report.findings]) == ("encoding", ["It is away."])
    assert abs(report.time_s - time.time()) < 5


def test_examination_of_what_is_not_known_yet_is_unchecked_and_then_told():
    may_end = threading.Event()

    def examine():
        may_end.wait(10)
        return ("The model is broken.",)

    endpoint = Endpoint("transcription", STEPS, None, 1, examine=examine)
    endpoint.examined = "speech models"
    endpoint.wake()
    (before,) = endpoint.report(1).findings
    may_end.set()
    end_s = time.monotonic() + 10
    while (after := endpoint.report(1).findings[0]).verdict is Verdict.UNCHECKED and time.monotonic() < end_s:
        time.sleep(0.01)
    assert (before.verdict, after.verdict, after.said) == (Verdict.UNCHECKED, Verdict.FAULT, "The model is broken.")


def test_examination_that_is_not_valid_is_refused():
    assert isinstance(ask(Endpoint("encoding", STEPS, None, 1), b"{}"), Failure)
