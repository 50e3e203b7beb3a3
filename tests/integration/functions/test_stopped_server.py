"""A function in its image, stopped while it works, as Kubernetes does when it needs fewer pods."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from adapter.delivery.http import HttpDelivery
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from support import slow_function
from support.jobs import encoding_job
from support.processes import REPOSITORY, Program, free_port, wait_for

pytestmark = pytest.mark.slow
LONGER_THAN_GUNICORN_WAITS_S = 33
"""Unless it is told to wait longer."""


@pytest.fixture
def server(tmp_path):
    start = tmp_path / "start"
    text = (REPOSITORY / "layers" / "podjobs" / "bin" / "start").read_text(encoding="utf-8")
    start.write_text(text.replace("/opt/function/main.py", slow_function.__file__))
    start.chmod(0o755)
    notes = tmp_path / "notes"
    notes.mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    port = free_port()
    settings = {"PORT": str(port), "NOTES_DIR": str(notes), "PATH": path}
    program = Program("encoding", [str(start)], settings, tmp_path / "log", f"http://127.0.0.1:{port}/")
    program.start()
    program.wait()
    yield program, notes
    program.kill()


async def test_server_that_is_stopped_ends_its_step_and_then_itself(server):
    program, notes = server
    params = {"takes_s": LONGER_THAN_GUNICORN_WAITS_S}
    step = Step(job=encoding_job(), step_id="long", function="encoding", action="sleep", params=params, accepted_at=0)
    delivery = HttpDelivery(program.page, STEPS, "a", 1)
    running = asyncio.create_task(delivery.deliver(step))
    await asyncio.to_thread(wait_for, lambda: list(notes.glob("long-*")), 10)
    program.process.send_signal(signal.SIGTERM)
    reply = await running
    assert reply.values["size"] == 0
    await delivery.close()
    assert program.process.wait(5) == 0
