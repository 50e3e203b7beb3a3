"""The runner API as its two clients use it: a real adapter, Redis and notification; docs/contract-pod-runner.md."""

import pytest

from support.runner_stack import running_runner_stack, upload

STORE_S = 0.1
"""Less than the hold of the tests (runner_work.HASTE), as it is of a real one."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    with running_runner_stack(tmp_path_factory.mktemp("runner"), store_s=STORE_S) as running:
        yield running


@pytest.fixture(scope="session")
def numbers():
    """Numbers of videos; none is used twice."""
    return iter(range(1, 10_000))


@pytest.fixture
def new_video(numbers):
    """A user uploads a video to a Pod."""

    def make(pod, content=b""):
        number = next(numbers)
        return pod.add_video(number, upload(pod, number, content))

    return make


@pytest.fixture
def four(stack):
    yield stack.four
    stack.four.misfortunes.clear()
    assert stack.four.faults == []


@pytest.fixture
def five(stack):
    yield stack.five
    stack.five.misfortunes.clear()
    assert stack.five.faults == []


@pytest.fixture(params=["v4", "v5"])
def pod(request, four, five):
    """A Pod of each dialect."""
    return four if request.param == "v4" else five
