"""One stack for all tests of a file; each test does it harm and leaves it well."""

import pytest

from support.media import make_video
from support.stack import RunningStack
from support.survival import SETTINGS, VIDEO_S, Patients

LIMIT_S = 10


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "talk.mp4"
    return make_video(path, "-g", "50", duration_s=VIDEO_S)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    running = RunningStack(tmp_path_factory.mktemp("stacks") / "state", SETTINGS).start()
    yield running
    status, took_s = running.stop()
    assert (status, running.processes()) == (0, []), running.log()
    assert took_s < LIMIT_S


@pytest.fixture
def patients(stack):
    stack.wait_until(stack.takes_messages)
    return Patients(stack)
