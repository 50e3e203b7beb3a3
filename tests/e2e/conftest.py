"""Stacks for tests, each in a folder of its own.

stack        a running stack with quick retries; stopped after the test, and no process may be left
pod          a Pod that remembers its calls and can misbehave: make_stack(**pod.settings) works for it
make_stack   makes further ones, or ones with other settings: make_stack(PODJOBS_RETRY_LIMIT_ENCODING="2")
clip         a short video with sound; make_clip(name, seconds, size) makes others
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from support.misbehaving_pod import MisbehavingPod, running_pod
from support.stack import RunningStack, command_line


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., RunningStack]]:
    stacks: list[RunningStack] = []

    def make(state: str | None = None, **settings: str) -> RunningStack:
        stacks.append(RunningStack(tmp_path / (state or f"state{len(stacks)}"), settings))
        return stacks[-1]

    yield make
    left = []
    for stack in stacks:
        if stack.is_running:
            stack.stop()
        left += [command_line(process) for process in stack.processes()]
        stack.kill_everything()
    assert left == [], "processes were left behind"


@pytest.fixture
def stack(make_stack: Callable[..., RunningStack]) -> RunningStack:
    return make_stack().start()


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[MisbehavingPod]:
    with running_pod(tmp_path / "media") as running:
        yield running


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str = "clip.mp4", seconds: float = 6, size: str = "640x360", extra: Sequence[str] = ()) -> Path:
        target = folder / name
        if not target.exists():
            sources = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration={seconds}"]
            sources += ["-f", "lavfi", "-i", f"sine=frequency=300:sample_rate=48000:duration={seconds}"]
            codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
            subprocess.run(
                ["ffmpeg", "-v", "error", "-nostdin", "-y", *sources, *codecs, *extra, f"file:{target}"], check=True
            )
        return target

    return make


@pytest.fixture(scope="session")
def clip(make_clip: Callable[..., Path]) -> Path:
    return make_clip()
