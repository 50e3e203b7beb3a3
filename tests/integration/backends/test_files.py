"""Files on a shared folder: whole or not there, and nothing beside them."""

import os
import subprocess
import sys
import time

from podjobs.backends.files import FileStorage

KEY = "videos/abc/info[1].json"
WRITER = """
import os, sys, time
from pathlib import Path
from podjobs.backends.files import FileStorage
os.fsync = lambda _: time.sleep(60)
FileStorage(Path(sys.argv[1]), "/media").write(sys.argv[2], b"half of it")
"""


def test_write_removes_what_a_killed_writer_left(tmp_path):
    """And nothing else: not the file of another name that is being written, not what only looks alike."""
    folder = tmp_path / "videos" / "abc"
    folder.mkdir(parents=True)
    others = {f".other.json.{'0' * 32}", ".info[1].json.backup", f".info1.json.{'0' * 32}"}
    for name in others:
        (folder / name).touch()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path, KEY], env=os.environ | {"PYTHONPATH": ":".join(sys.path)}
    )
    while len(list(folder.iterdir())) == len(others):
        assert writer.poll() is None
        time.sleep(0.02)
    writer.kill()
    writer.wait()
    assert len(list(folder.iterdir())) == len(others) + 1

    FileStorage(tmp_path, "/media").write(KEY, b"{}")

    assert {path.name for path in folder.iterdir()} == others | {"info[1].json"}
    assert (folder / "info[1].json").read_bytes() == b"{}"
