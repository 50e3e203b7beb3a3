"""Which node has the jobs' keys, as CLUSTER SLOTS says."""

from redis.crc import key_slot

from adapter.redis import keys
from adapter.redis.cluster import SLOT, read_slots

NAMES = [
    *(keys.JOBS, keys.LIVE, keys.DEAD, keys.RECOVERY, keys.STATEMENTS, keys.NEVER, keys.PREFIX),
    *(keys.steps("encoding"), keys.turns("encoding"), keys.turns_clock("encoding"), keys.turns_bell("encoding")),
    *(keys.job("{a}"), keys.job_log("1"), keys.heartbeat("one")),
]


def test_all_keys_of_jobs_are_in_one_slot():
    assert {key_slot(name.encode()) for name in NAMES} == {SLOT} == {11071}


def test_read_slots_finds_the_owner_and_names_every_node():
    rows = [
        [0, 11070, ["10.0.0.1", 6379, "a"], ["10.0.0.4", 6379, "d"]],
        [11071, 11071, ["node-2.example.org", 6380, "b", ["ip", "10.0.0.2"]], ["::1", 6381, "e"]],
        [11072, 16383, ["10.0.0.3", 6379, "c"]],
    ]
    owner, nodes = read_slots(rows, "seed")
    assert owner == ("node-2.example.org", 6380)
    assert len(nodes) == 5
    assert ("::1", 6381) in nodes


def test_read_slots_of_nodes_that_have_no_name_of_their_own_names_the_one_that_was_asked():
    for nothing in (None, "", "?"):
        assert read_slots([[0, 16383, [nothing, 6379, "a"]]], "seed") == (("seed", 6379), [("seed", 6379)])


def test_read_slots_of_a_cluster_without_the_slot_finds_no_owner():
    assert read_slots([[0, 100, ["10.0.0.1", 6379, "a"]]], "seed")[0] is None
    assert read_slots([], "seed") == (None, [])
