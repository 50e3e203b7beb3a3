"""How long entries have waited: by the observer's clock, whatever the server's clock does."""

from adapter.redis.streams import PendingEntry
from adapter.redis.waits import Waits


def entry(idle_s, attempts=1, owner="waiting", entry_id="1-0"):
    return PendingEntry(entry_id=entry_id, owner=owner, attempts=attempts, idle_s=idle_s)


def watch(*looks):
    """Look at one entry at times in seconds, when the server shows an idle time; returns how long it has waited."""
    waits = Waits()
    return [waits.look([entry(idle_s)], at_s)[0] for at_s, idle_s in looks]


def test_look_first_of_all_believes_the_server():
    assert watch((1000, 30), (1010, 40)) == [30, 40]


def test_look_server_clock_set_back_changes_nothing():
    assert watch((1000, 30), (1010, 0), (1020, 0)) == [30, 40, 50]


def test_look_server_clock_set_back_before_the_first_look_costs_one_wait():
    assert watch((1000, 0), (1010, 0), (1020, 0)) == [0, 10, 20]


def test_look_server_clock_set_forward_changes_nothing():
    assert watch((1000, 30), (1010, 7240)) == [30, 40]


def test_look_new_entry_has_not_waited_longer_than_since_the_look_before():
    """The server's clock was set forward just before it came."""
    waits = Waits()
    waits.look([], 1000)
    assert waits.look([entry(7200)], 1001) == [1]
    assert waits.look([entry(7202), entry(0.5, entry_id="2-0")], 1003) == [3, 0.5]


def test_look_entry_that_has_changed_begins_anew():
    waits = Waits()
    assert waits.look([entry(5)], 1000) == [5]
    assert waits.look([entry(0, attempts=2)], 1010) == [0]
    assert waits.look([entry(1, attempts=2, owner="other")], 1011) == [1]
    assert waits.look([entry(0, attempts=2)], 1012) == [0]


def test_look_entry_that_was_claimed_and_waits_again_begins_anew_although_it_looks_the_same():
    """An attempt that does not count leaves the number as it was."""
    waits = Waits()
    waits.look([], 1000)
    assert waits.look([entry(1)], 1001) == [1]
    assert waits.look([entry(9)], 1009) == [9]
    waits.forget([entry(9)])
    assert waits.look([entry(0.5)], 1010) == [0.5]
