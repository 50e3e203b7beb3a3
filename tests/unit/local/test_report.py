"""Numbers as people read them."""

import pytest

from local.report import MadeFile, readable_size


@pytest.mark.parametrize(
    ("size_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (2_340_000, "2.3 MB"), (5e13, "50.0 TB")]
)
def test_readable_size(size_bytes, text):
    assert readable_size(size_bytes) == text


def test_made_file_bitrate_is_size_over_duration():
    assert MadeFile("360p.mp4", 1_000_000, duration_s=8).bitrate_bps == 1_000_000
    assert MadeFile("overview.png", 1_000_000).bitrate_bps is None
