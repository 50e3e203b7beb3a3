"""What is judged of disks and of ffmpeg's lists."""

import shutil
from pathlib import Path

import pytest

from podjobs.backends.media_condition import GIB, judge_space
from podjobs.backends.tool_condition import missing_codecs
from podjobs.contract.examinations import Verdict

LISTING = """Encoders:
 V..... = Video
 ------
 V....D libx264              libx264 H.264 / AVC (codec h264)
 A....D aac                  AAC (Advanced Audio Coding)
"""


@pytest.mark.parametrize(("free_gb", "verdict"), [(5.0, Verdict.OK), (4.9, Verdict.FAULT)])
def test_disk_must_have_what_the_setting_says(free_gb, verdict):
    usage = shutil._ntuple_diskusage(500 * GIB, 0, int(free_gb * GIB))
    finding = judge_space("media root", Path("/media"), usage, 5)
    assert (finding.verdict, finding.part) == (verdict, "disk of the media root")
    if verdict is Verdict.FAULT:
        assert finding.said == (
            "Only 4.9 GiB of 500 are free at '/media'. Make room, or lower PODJOBS_DISK_FREE_GB, 5."
        )


def test_codecs_are_found_in_ffmpegs_list_by_their_whole_names():
    assert missing_codecs(LISTING, ("libx264", "aac")) == []
    assert missing_codecs(LISTING, ("libx26", "AAC", "libmp3lame")) == ["libx26", "AAC", "libmp3lame"]
