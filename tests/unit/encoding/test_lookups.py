"""How many places of a source are looked at."""

import pytest

from podjobs.contract.commands import MediaInput
from podjobs.encoding.lookups import REMOTE_BYTES, SEEK_BYTES, most_places

LOCAL = MediaInput("/media/x.mp4", ("file",), "/media/x.mp4")
REMOTE = MediaInput("http://media.invalid/x/x.mp4", ("http", "tcp"), "/media/x.mp4")


@pytest.mark.parametrize(
    ("source", "size_bytes", "duration_s", "wanted", "places"),
    [
        (LOCAL, 2_000_000_000, 1200.0, 800, 800),
        # 4 MiB / (0.2 s · 1.67 MB/s + 100 KiB) = 4,194,304 / 435,733
        (REMOTE, 2_000_000_000, 1200.0, 800, 9),
        # 4,194,304 / (0.2 s · 278 kB/s + 102,400)
        (REMOTE, 2_000_000_000, 7200.0, 800, 26),
        (REMOTE, 2_000_000_000, 7200.0, 12, 12),
        (REMOTE, 10_000_000_000, 60.0, 800, 8),
        (REMOTE, 1_000_000, None, 120, 120),
    ],
)
def test_places_of_a_source_cost_no_more_than_is_granted(source, size_bytes, duration_s, wanted, places):
    assert most_places(source, size_bytes, duration_s, wanted) == places


def test_places_of_a_long_source_are_bounded_by_what_a_seek_costs():
    assert most_places(REMOTE, 1, 1e6, 10_000) == REMOTE_BYTES // SEEK_BYTES
