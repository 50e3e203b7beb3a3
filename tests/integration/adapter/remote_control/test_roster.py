"""The names of nodes, in a real Redis."""

import asyncio

from adapter.redis import keys
from adapter.remote_control.roster import LEASE_MS, Roster


def roster(broker, adapter_id, host="one"):
    return Roster(broker, "encoding", adapter_id, "encode", host)


async def test_names_are_given_once_and_numbers_go_when_they_can(broker):
    first, second, other = roster(broker, "a"), roster(broker, "b"), roster(broker, "c", "two")
    assert (await first.enter()).name == "encode@one"
    await asyncio.sleep(0.01)
    assert (await second.enter()).name == "encode-2@one"
    assert (await other.enter()).name == "encode@two"
    place = await second.enter()
    assert (place.is_speaker, place.speaker) == (False, "encode@one")
    assert place.names == {"a": "encode@one", "b": "encode-2@one", "c": "encode@two"}
    await first.leave()
    place = await second.enter()
    assert (place.name, place.is_speaker) == ("encode@one", True)


async def test_adapter_that_is_silent_for_a_lease_is_gone_whatever_the_clock_did(broker):
    nodes, now_s = keys.nodes("encoding"), (await broker.time())[0]
    for ends_ms in (now_s * 1000 - 1, (now_s + 7200) * 1000):  # the lease is over; or: the clock was set back since
        await broker.hset(nodes, "encode@one", f"gone {ends_ms} 5")
        place = await roster(broker, "b").enter()
        assert (place.name, place.names) == ("encode@one", {"b": "encode@one"})
        await broker.delete(nodes)
    await broker.hset(nodes, "encode@one", "rubbish")
    assert (await roster(broker, "b").enter()).name == "encode@one"
    assert 0 < await broker.pttl(nodes) <= 10 * LEASE_MS
