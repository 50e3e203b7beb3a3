"""What earlier versions have left in Redis, written down key by key, and how it gets back into a Redis.

`tests/data/redis-record-1.json` is of version 1 of the records (adapter/steps/versions.py): jobs of a real encoding
function in all their states, left by an adapter that is gone. There is one of every version since.
"""

import json
from pathlib import Path
from typing import Any

import redis

EARLIER = "podjobs:"
"""How the keys of the jobs' database began in the versions whose dumps these are."""
DATA = Path(__file__).resolve().parents[1] / "data"
IDLE_MS = 60_000
"""How long nobody has worked on the entries that an adapter owned."""


def load_dump(client: redis.Redis, name: str) -> dict[str, Any]:
    """Write a dump into an empty database; returns it: key → type and value."""
    dump: dict[str, Any] = json.loads((DATA / name).read_text(encoding="utf-8"))
    for key, stored in dump.items():
        value = stored["value"]
        match stored["type"]:
            case "string":
                client.set(key, value)
            case "hash":
                client.hset(key, mapping=value)
            case "list":
                client.rpush(key, *value)
            case "set":
                client.sadd(key, *value)
            case "zset":
                client.zadd(key, dict(value))
            case "stream":
                _load_stream(client, key, value)
    return dump


def _load_stream(client: redis.Redis, key: str, value: dict[str, Any]) -> None:
    for entry_id, fields in value["entries"]:
        client.xadd(key, fields, id=entry_id)
    for group in value["groups"]:
        client.xgroup_create(key, group["name"], id=group["last_delivered_id"], mkstream=True)
        for pending in group["pending"]:
            client.xclaim(
                key,
                group["name"],
                pending["owner"],
                0,
                [pending["id"]],
                idle=IDLE_MS,
                retrycount=pending["attempts"],
                force=True,
                justid=True,
            )


READERS = {"string": "get", "hash": "hgetall", "set": "smembers", "zset": "zrange", "list": "lrange"}
"""Types of values, and the commands that read them."""


def read_database(client: redis.Redis) -> dict[str, Any]:
    """Read everything but the streams: key → value."""
    found = []
    with client.pipeline(transaction=False) as pipeline:
        for kind, reader in READERS.items():
            for key in client.scan_iter(count=10_000, _type=kind):
                found.append(key)
                getattr(pipeline, reader)(key, *((0, -1) if kind in {"zset", "list"} else ()))
        return dict(zip(found, pipeline.execute(), strict=True))
