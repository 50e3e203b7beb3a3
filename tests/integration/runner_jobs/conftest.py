"""A web server, and the encoding function that fetches from it."""

import pytest

from support.media import make_video
from support.runner_bench import RunnerBench
from support.video_web import VideoWeb


@pytest.fixture
def web():
    with VideoWeb().serving() as web:
        yield web


@pytest.fixture
def bench(web, tmp_path):
    return RunnerBench(tmp_path / "media", web)


@pytest.fixture(scope="session")
def talk(tmp_path_factory):
    """A video of 5 seconds, with sound."""
    path = tmp_path_factory.mktemp("talk") / "my_talk.mp4"
    make_video(path, duration_s=5)
    return path
