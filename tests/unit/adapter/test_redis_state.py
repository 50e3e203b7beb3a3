"""What INFO tells about a Redis server."""

import pytest

from adapter.inspection.redis_state import find_faults, find_remarks

WELL = {"redis_version": "7.0.15", "maxmemory": 1 << 30, "maxmemory_policy": "noeviction", "aof_enabled": 1}


def test_server_that_keeps_everything_has_neither_faults_nor_remarks():
    assert (find_faults(WELL), find_remarks(WELL)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"redis_version": "6.0.16"}, "is version 6.0.16; 6.2 or newer is needed."),
        ({"maxmemory_policy": "volatile-lru"}, "may drop jobs when its memory is full"),
    ],
)
def test_server_that_an_operator_has_to_change_is_a_fault(changes, said):
    (fault,) = find_faults(WELL | changes)
    assert fault.startswith(said)


def test_server_without_a_bound_on_its_memory_drops_nothing():
    assert find_faults(WELL | {"maxmemory": 0, "maxmemory_policy": "allkeys-lru"}) == []


def test_server_that_does_not_tell_is_no_fault_and_what_is_unknown_is_said():
    assert find_faults({"redis_version": "7.1.0"}) == find_faults({}) == []
    assert len(find_remarks({})) == 2
    assert all("is not known" in remark for remark in find_remarks({}))
