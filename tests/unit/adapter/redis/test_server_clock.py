"""The server's clock is noticed when it is set, and not when an answer is slow."""

import pytest

from adapter.redis.server_clock import ServerClock


def look_twice(first, second):
    clock = ServerClock()
    assert clock.look(*first) == 0
    return clock.look(*second)


@pytest.mark.parametrize(
    ("second", "jump_s"),
    [
        ((1_000_010, 10, 10), 0),
        ((1_000_014, 10, 10), 0),  # adjusted slowly
        ((1_007_210, 10, 10), 7200),
        ((992_810, 10, 10), -7200),
        ((1_000_010, 10, 70), 0),  # the answer took a minute
        ((1_000_070, 10, 70), 0),  # the question did
        ((1_000_090, 10, 70), 20),
    ],
)
def test_look_tells_a_jump_from_a_slow_answer(second, jump_s):
    assert look_twice((1_000_000, 0, 0), second) == jump_s


def test_look_jump_is_told_once():
    clock = ServerClock()
    jumps = [clock.look(time_s, at_s, at_s) for at_s, time_s in ((0, 1000), (5, 8005), (10, 8010), (15, 1015))]
    assert jumps == [0, 7000, 0, -7000]
