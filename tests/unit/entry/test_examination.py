"""What takes long to check is checked once, beside the first requests, and told."""

import threading

from podjobs.contract.errors import RetryableError
from podjobs.contract.message_contracts import STEPS
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.examination import Examination
from support.processes import wait_for


def endpoint_with(examine, advice=""):
    return Endpoint("encoding", STEPS, None, 1, advice=advice, examine=examine)


def test_examination_does_not_begin_before_the_first_request_and_then_only_once():
    begun, may_end = [], threading.Event()

    def examine():
        begun.append(threading.current_thread())
        may_end.wait(10)
        return ("Replace the model.",)

    endpoint = endpoint_with(examine, "Mount the media root.")
    assert (begun, endpoint.advice) == ([], "Mount the media root.")
    endpoint.wake()
    endpoint.wake()
    assert endpoint.advice == "Mount the media root."
    may_end.set()
    wait_for(lambda: endpoint.advice == "Mount the media root.\nReplace the model.", 10)
    assert len(begun) == 1


def test_examination_that_fails_is_told():
    def examine():
        raise RetryableError("There is no memory for the model.")

    examination = Examination(examine)
    examination.begin()
    wait_for(lambda: examination.findings == ("There is no memory for the model.",), 10)


def test_endpoint_without_an_examination_has_no_more_advice():
    endpoint = endpoint_with(None)
    endpoint.wake()
    assert endpoint.advice == ""
