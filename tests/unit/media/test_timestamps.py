"""Times as WebVTT writes them."""

import pytest

from podjobs.media.timestamps import timestamp


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "00:00:00.000"), (59.9996, "00:01:00.000"), (3661.25, "01:01:01.250"), (360_000, "100:00:00.000")],
)
def test_timestamp_is_in_webvtts_notation(time_s, text):
    assert timestamp(time_s) == text
