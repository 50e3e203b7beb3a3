"""The memory of a stream, with a server that has the command for it, and one that lacks it, as managed ones may."""

import contextlib

import pytest

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.redis.memory import KeyMemory
from support.processes import START_TIMEOUT_S
from support.redis_servers import new_server

ENTRIES, ENTRY_CHARS = 300, 1000


@pytest.mark.parametrize("options", [(), ("--rename-command", "MEMORY", "")])
async def test_memory_of_a_stream_is_near_the_length_of_its_entries(tmp_path, options):
    server = new_server(tmp_path, "redis", *options)
    server.start()
    try:
        server.wait_for(server.answers, START_TIMEOUT_S)
        async with contextlib.aclosing(open_redis(server.url, text=True)) as client:
            assert await KeyMemory(client, keys.DEAD).size_bytes() == 0
            for _ in range(ENTRIES):
                await client.xadd(keys.DEAD, {"statement": "x" * ENTRY_CHARS})
            assert 0.9 < await KeyMemory(client, keys.DEAD).size_bytes() / (ENTRIES * ENTRY_CHARS) < 1.5
    finally:
        server.kill()
