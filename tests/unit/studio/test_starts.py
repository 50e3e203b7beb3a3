"""Where chunks begin if key frames are few."""

from itertools import pairwise

import pytest

from podjobs.studio.plan import choose_starts


@pytest.mark.parametrize(
    ("duration_s", "keys_s", "expected"),
    [
        # everywhere: as wanted
        (60, range(0, 60, 2), tuple(range(0, 60, 8))),
        # not known: likewise
        (60, (), tuple(range(0, 60, 8))),
        # one at the beginning: two chunks, of which the second decodes the first, too
        (60, (0.04,), (0, 32)),
        # one a minute
        (120, (0.04, 60.04), (0, 62, 94)),
    ],
)
def test_chunks_are_fewer_where_they_would_decode_much_twice(duration_s, keys_s, expected):
    assert choose_starts(duration_s, (8, 60), keys_s, 0.5) == expected


def test_hour_with_one_key_frame_has_chunks_that_still_end_in_time():
    starts_s = choose_starts(3600, (60, 60), (0.0,), 0.5)
    assert len(starts_s) == 15
    assert max(after - before for before, after in pairwise(starts_s)) == 240
