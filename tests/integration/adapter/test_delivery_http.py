"""Delivery over HTTP: functions that cannot be reached, connections that break, and what is sent to whom."""

import asyncio
import contextlib
import socket
import struct

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError
from adapter.delivery.http import HttpDelivery
from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import RESULT_EVENT_TYPE, Result
from podjobs.contract.steps import Step
from podjobs.events import Event, write_event
from support.jobs import encoding_job

STEP = Step(job=encoding_job(), step_id="plan", function="encoding", action="plan", accepted_at=0)
SECRET = "s3cret-s3cret-s3cret"  # noqa: S105 - made for these tests


@contextlib.asynccontextmanager
async def delivery_to(url, secret=None):
    delivery = HttpDelivery(url, STEPS, "a", 1, secret)
    try:
        yield delivery
    finally:
        await delivery.close()


async def test_deliver_to_a_closed_port_names_the_function_without_its_secrets():
    async with delivery_to("http://user:secret@127.0.0.1:1/encoding?code=secret") as delivery:
        with pytest.raises(FunctionBusyError) as caught:
            await delivery.deliver(STEP)
    assert "127.0.0.1:1/encoding" in caught.value.problem.detail
    assert "secret" not in caught.value.problem.detail


class FickleFunction:
    """Answers each request on a connection as the test says; and notes on which connection it came."""

    def __init__(self, *behaviours):
        self.behaviours = list(behaviours)
        """One for each request, of all connections; then it answers."""
        self.came_on = []
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        number = self.connections
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                await read_request(reader)
                self.came_on.append(number)
                behaviour = self.behaviours.pop(0) if self.behaviours else "answer"
                if behaviour == "answer":
                    writer.write(answer())
                    continue
                kind, wait_s = behaviour
                await asyncio.sleep(wait_s)
                if kind == "begin":
                    writer.write(answer()[:30])
                    await writer.drain()
                if kind == "reset":
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                break
        writer.close()


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    (length,) = (int(line.partition(":")[2]) for line in lines if line.startswith("content-length:"))
    await reader.readexactly(length)


def answer():
    headers, body = write_event(Event(type=RESULT_EVENT_TYPE, source="/f", data=Result().model_dump_json().encode()))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextlib.asynccontextmanager
async def running(function):
    server = await asyncio.start_server(function.serve, "127.0.0.1", 0)
    try:
        async with delivery_to(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as delivery:
            yield delivery
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["close", "reset"])
async def test_deliver_on_a_connection_that_was_being_closed_is_sent_again_on_a_new_one(kind):
    """The server closes an idle connection in the very moment in which a request is sent."""
    function = FickleFunction("answer", (kind, 0))
    async with running(function) as delivery:
        assert await delivery.deliver(STEP) == Result()
        assert await delivery.deliver(STEP) == Result()
    assert function.came_on == [1, 1, 2]


async def test_deliver_many_on_connections_that_were_all_being_closed_are_sent_again_on_new_ones():
    function = FickleFunction(*["answer"] * 8, *[("close", 0)] * 8)
    async with running(function) as delivery:
        for _ in range(2):
            assert await asyncio.gather(*(delivery.deliver(STEP) for _ in range(8))) == [Result()] * 8
    assert len(function.came_on) == 24


@pytest.mark.parametrize("kind", ["close", "reset"])
async def test_deliver_to_a_function_that_ends_while_it_works_fails_once(kind):
    """However old its connection is: the step was taken."""
    function = FickleFunction("answer", (kind, 1.2))
    async with running(function) as delivery:
        await delivery.deliver(STEP)
        with pytest.raises(StepFailedError, match="broke"):
            await delivery.deliver(STEP)
    assert function.came_on == [1, 1]


@pytest.mark.parametrize("kind", ["close", "reset"])
async def test_deliver_on_a_new_connection_that_breaks_at_once_fails(kind):
    function = FickleFunction((kind, 0))
    async with running(function) as delivery:
        with pytest.raises(StepFailedError, match="broke"):
            await delivery.deliver(STEP)
    assert function.came_on == [1]


async def test_deliver_that_breaks_on_the_new_connection_too_fails():
    function = FickleFunction("answer", ("close", 0), ("close", 0))
    async with running(function) as delivery:
        await delivery.deliver(STEP)
        with pytest.raises(StepFailedError, match="broke"):
            await delivery.deliver(STEP)
    assert function.came_on == [1, 1, 2]


async def test_deliver_connections_are_given_up_before_a_server_closes_them():
    """gunicorn does after 2 s."""
    function = FickleFunction()
    async with running(function) as delivery:
        await delivery.deliver(STEP)
        await delivery.deliver(STEP)
        await asyncio.sleep(1.2)
        await delivery.deliver(STEP)
    assert function.came_on == [1, 1, 2]


async def test_deliver_step_longer_than_a_function_reads_is_refused_with_both_lengths():
    step = STEP.model_copy(update={"params": {"text": "x" * REQUEST_BYTES}})
    async with delivery_to("http://127.0.0.1:1/") as delivery:
        with pytest.raises(StepRefusedError, match=f"at most {REQUEST_BYTES}"):
            await delivery.deliver(step)


async def test_deliver_secret_goes_to_the_function_and_nowhere_else(serve):
    """A redirect is not followed, and nothing that is reported contains it."""

    class Redirecting:
        url = ""
        given = ()

        async def handle(self, request):
            self.given += (request.headers.get("Authorization"),)
            return web.Response(status=307, headers={"Location": other.url})

    other = await serve(Redirecting())
    function = await serve(Redirecting())
    async with delivery_to(function.url, SecretStr(SECRET)) as delivery:
        with pytest.raises(StepFailedError) as caught:
            await delivery.deliver(STEP)
        assert SECRET not in repr(vars(delivery))
    assert (function.given, other.given) == ((f"Bearer {SECRET}",), ())
    assert SECRET not in caught.value.problem.model_dump_json()
