"""An adapter is gone when its heart has not been seen to beat for a lease: by the observer's clock alone."""

import pytest

from adapter.liveness import Liveness

LEASE_S = 12


def watch(*looks):
    """Look at one adapter at times in seconds; returns for each look whether it was believed alive."""
    liveness = Liveness()
    return ["a" in liveness.look({"a": beat}, at_s, LEASE_S) for at_s, beat in looks]


def test_look_first_sight_is_alive_whatever_the_heartbeat():
    assert watch((1000, "7")) == [True]
    assert watch((1000, None)) == [True]


@pytest.mark.parametrize("beat", ["7", None], ids=["still-there", "expired"])
def test_look_silent_for_a_lease_is_gone(beat):
    assert watch((0, "7"), (3, beat), (6, beat), (9, beat), (11.9, beat), (12, beat)) == [True] * 5 + [False]


def test_look_adapter_of_an_older_version_is_alive_until_its_heartbeat_expires():
    looks = ((0, ""), (3, ""), (6, ""), (9, ""), (12, ""), (15, None), (18, None), (21, None), (24, None))
    assert watch(*looks) == [True] * 8 + [False]


def test_look_new_beat_begins_the_lease_anew():
    assert watch((0, "7"), (3, "7"), (6, "7"), (9, "8"), (12, "8"), (15, "8"), (18, "8")) == [True] * 7


def test_look_heartbeat_that_expired_and_comes_again_was_alive_if_it_goes_on():
    """The server's clock was set forward: all keys expire at once."""
    assert watch((0, "7"), (3, None), (6, "8"), (9, "8"), (12, "8")) == [True] * 5
    assert watch((0, "7"), (3, None), (6, "7"), (9, "7"), (12, "7")) == [True] * 4 + [False]


def test_look_long_pause_between_looks_is_no_proof():
    """The observer was stopped for an hour, or the whole machine."""
    assert watch((0, "7"), (3, "7"), (3603, "7"), (3606, "8")) == [True] * 4


def test_look_gone_adapter_that_beats_again_is_alive():
    assert watch((0, "7"), (3, "7"), (6, "7"), (9, "7"), (12, "7"), (13, "8")) == [True] * 4 + [False, True]


def test_forget_begins_every_lease_anew():
    liveness = Liveness()
    for at_s in (0, 3, 6, 9):
        liveness.look({"a": "7"}, at_s, LEASE_S)
    liveness.forget()
    assert liveness.look({"a": "7"}, 12, LEASE_S) == {"a"}


def test_look_adapters_nobody_asks_about_are_forgotten():
    liveness = Liveness()
    liveness.look({f"old-{number}": "1" for number in range(1000)}, 0, LEASE_S)
    liveness.look({"a": "1"}, 1000, LEASE_S)
    assert set(liveness._seen) == {"a"}
