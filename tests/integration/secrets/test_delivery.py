"""The adapter goes on when the functions have learnt of their new secret first."""

import contextlib

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from adapter.delivery import FunctionBusyError
from adapter.delivery.http import HttpDelivery
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.contract.steps import Step
from support.jobs import encoding_job
from support.kept_secrets import SecretFile
from support.step_function import FakeFunction

OLD, NEW = "first-of-the-secrets", "second-of-the-secrets"
STEP = Step(job=encoding_job(), step_id="plan", function="encoding", action="plan", accepted_at=0)


@pytest.fixture
def secret(tmp_path, monkeypatch):
    secret = SecretFile(tmp_path / "secret.json")
    monkeypatch.setenv("PODJOBS_SECRETS", secret.setting)
    secret.write(PODJOBS_FUNCTION_SECRET=OLD)
    assert secret.held.begin() == ()
    return secret


@contextlib.asynccontextmanager
async def delivery_to_a_function_that_knows(known):
    """A delivery with the old secret, and what the function was shown."""
    function, shown = FakeFunction(), []

    async def admit(request):
        shown.append(request.headers["Authorization"].removeprefix("Bearer "))
        return await function.handle(request) if shown[-1] == known else web.Response(status=401)

    application = web.Application()
    application.router.add_post("/", admit)
    async with TestServer(application) as server:
        delivery = HttpDelivery(str(server.make_url("/")), STEPS, "test", 5, SecretStr(OLD))
        try:
            yield delivery, shown
        finally:
            await delivery.close()


async def test_step_that_is_refused_is_delivered_at_once_with_the_new_secret(secret):
    async with delivery_to_a_function_that_knows(NEW) as (delivery, shown):
        secret.write(PODJOBS_FUNCTION_SECRET=NEW)
        secret.let_pass(60)
        assert isinstance(await delivery.deliver(STEP), Result)
        assert isinstance(await delivery.deliver(STEP), Result)
    assert shown == [OLD, NEW, NEW]


async def test_step_that_is_refused_without_a_new_secret_is_held(secret):
    async with delivery_to_a_function_that_knows(NEW) as (delivery, shown):
        secret.let_pass(60)
        with pytest.raises(FunctionBusyError):
            await delivery.deliver(STEP)
    assert shown == [OLD]
