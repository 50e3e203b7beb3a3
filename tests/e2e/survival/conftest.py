"""One stack and one Pod for all tests of a file; each test does them harm and leaves them well."""

import pytest

from support.media import make_video
from support.misbehaving_pod import running_pod
from support.stack import shared_stack
from support.survival import SETTINGS, VIDEO_S, JobSender


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "talk.mp4"
    return make_video(path, "-g", "50", duration_s=VIDEO_S)


@pytest.fixture(scope="module")
def pod(tmp_path_factory):
    with running_pod(tmp_path_factory.mktemp("pod") / "media") as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory, pod):
    with shared_stack(tmp_path_factory.mktemp("stacks") / "state", SETTINGS | pod.settings) as running:
        yield running


@pytest.fixture
def sender(stack, pod):
    stack.wait_until(stack.takes_messages)
    return JobSender(stack, pod)
