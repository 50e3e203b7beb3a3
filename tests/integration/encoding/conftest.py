"""A media root with the encoding function on it."""

import os
import subprocess

import pytest

from podjobs.encoding.settings import EncodingSettings
from support.media_storages import POD_ROOT
from support.workbench import SMALL_LADDER, Workbench


@pytest.fixture
def workbench(tmp_path):
    settings = EncodingSettings(
        media_root=POD_ROOT,
        media_url=f"file://{tmp_path / 'media'}",
        video_renditions=SMALL_LADDER,
        ffmpeg_preset="veryfast",
        podjobs_chunk_min_s=2,
    )
    (tmp_path / "media").mkdir()
    return Workbench(tmp_path / "media", settings)


@pytest.fixture
def small_disk_workbench(tmp_path):
    """A workbench on a file system of 8 MB of its own, and a file that can fill it."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=True)
    settings = EncodingSettings(
        media_root=POD_ROOT,
        media_url=f"file://{disk}",
        video_renditions=SMALL_LADDER,
        ffmpeg_preset="veryfast",
        podjobs_chunk_min_s=2,
    )
    yield Workbench(disk, settings), disk / "filler"
    subprocess.run(["umount", "-l", str(disk)], check=True)
