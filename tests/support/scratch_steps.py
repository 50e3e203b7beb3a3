"""Steps with files in a scratch folder, and what killed ones leave."""

import os
import uuid
from pathlib import Path

from podjobs.backends.scratch import Scratch


def do_step(scratch: Scratch, error: type[BaseException] | None = None) -> None:
    """A step, which finds its files as it has left them, and may fail."""
    with scratch.folder() as folder:
        (folder / "chunk").write_bytes(b"content")
        assert (folder / "chunk").read_bytes() == b"content"
        if error:
            raise error


def do_steps(parent: Path, count: int) -> None:
    """Steps, one after another."""
    for _ in range(count):
        do_step(Scratch(parent, 0))


def home_in(parent: Path) -> Path:
    """Where this user's steps have their folders."""
    return parent / f"podjobs-scratch-{os.geteuid()}"


def folders_left(parent: Path) -> list[Path]:
    """The folders of steps, running or killed."""
    return list(home_in(parent).glob("*"))


def leave_folder(parent: Path, *, lock: bool = True) -> Path:
    """Leave what a killed step has left; returns its folder.

    Args:
        parent: of the scratch folders of all users.
        lock: whether the step had made its lock.
    """
    path = home_in(parent) / uuid.uuid4().hex
    (path / "files").mkdir(parents=True)
    (path / "files" / "chunk").write_bytes(b"content")
    if lock:
        (path / "lock").touch()
    return path
