"""Whose entries may be reclaimed, and when."""

import pytest

from adapter.redis.idle_entries import Ownership
from adapter.redis.streams import PendingEntry
from adapter.retries import RetryPolicy

POLICY = RetryPolicy(base_s=15, factor=2, cap_s=600, limit=5)


@pytest.mark.parametrize(
    ("owner", "required_s"),
    [
        ("waiting", 30),  # after its second attempt
        ("returned", 0),
        ("me", 10),  # read, and the answer lost
        ("gone", 0),
        ("lives", None),
    ],
)
def test_required_wait_depends_on_the_owner(owner, required_s):
    ownership = Ownership(own_id="me", alive=frozenset({"lives"}), lease_s=10)
    entry = PendingEntry(entry_id="1-0", owner=owner, attempts=2, idle_s=0)
    assert ownership.required_wait_s(entry, POLICY) == required_s
