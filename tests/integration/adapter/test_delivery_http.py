"""Delivery over HTTP, where the function cannot be reached."""

import pytest

from adapter.delivery import FunctionBusyError
from adapter.delivery.http import HttpDelivery
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from support.jobs import encoding_job


async def test_deliver_to_a_closed_port_names_the_function_without_its_secrets():
    delivery = HttpDelivery("http://user:secret@127.0.0.1:1/encoding?code=secret", STEPS, "a", 1)
    step = Step(job=encoding_job(), step_id="plan", function="encoding", action="plan", accepted_at=0)
    try:
        with pytest.raises(FunctionBusyError) as caught:
            await delivery.deliver(step)
    finally:
        await delivery.close()
    assert "127.0.0.1:1/encoding" in caught.value.problem.detail
    assert "secret" not in caught.value.problem.detail
