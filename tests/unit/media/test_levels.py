"""Which channel is heard, and how much louder it is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.media.levels import Levels, choose_channel, choose_lift, loudest_of


@pytest.mark.parametrize(
    ("levels", "channel", "lift_db"),
    [
        (Levels(-24.0), None, 0.0),
        (Levels(-49.0), None, 0.0),
        (Levels(-66.3), None, 41.3),
        (Levels(-96.0), None, 0.0),  # the last bit of 16
        (Levels(-24.0, -40.0, (-24.0, -25.0)), None, 0.0),
        (Levels(-24.0, -24.0, (-18.0, -200.0)), None, 0.0),  # one channel alone
        (Levels(-21.0, -20.0, (-18.0, -18.0)), None, 0.0),  # nothing in common
        (Levels(-200.0, -22.0, (-22.0, -22.0)), 0, 0.0),
        (Levels(-40.0, -22.0, (-23.0, -21.0)), 1, 0.0),
        (Levels(-200.0, -71.0, (-71.0, -71.0)), 0, 46.0),
        (Levels(-200.0, -100.0, (-100.0, -100.0)), None, 0.0),
    ],
)
def test_choose_channel_and_lift(levels, channel, lift_db):
    assert choose_channel(levels) == channel
    assert choose_lift(levels) == lift_db


def test_loudest_of_needs_three_seconds_or_a_hundredth():
    assert loudest_of([]) == -200
    assert loudest_of([-70.0]) == -70
    assert loudest_of([-70.0] * 60 + [-10.0, -12.0]) == -70  # something fell down
    assert loudest_of([-70.0] * 60 + [-20.0, -21.0, -22.0]) == -22
    assert loudest_of([-70.0] * 3970 + [-20.0] * 30) == -70
    assert loudest_of([-70.0] * 3950 + [-20.0] * 50) == -20


@given(st.floats(-200, 0), st.floats(-200, 0), st.tuples(st.floats(-200, 0), st.floats(-200, 0)))
def test_choose_lift_never_makes_sound_louder_than_it_should_be(mean, difference, channels):
    levels = Levels(mean, difference, channels)
    lift_db = choose_lift(levels)
    channel = choose_channel(levels)
    heard = mean if channel is None else channels[channel]
    assert lift_db == 0 or heard + lift_db == pytest.approx(-25, abs=0.1)
