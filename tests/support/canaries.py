"""Looks for secrets in everything that was written: files, objects, Redis, command lines."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import redis

LOOK_S = 0.05
SMALL_BYTES = 4 << 20
"""What is larger is media."""
HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
"""What a signature looks like."""
PROXY_LOGIN = re.compile(rb"http_proxy=http://[^:/@\0]+:([^@\0]+)@")

Place = tuple[str, bytes]
"""Where something was found, and all that is written there."""


def find_leaks(places: Iterable[Place], secrets: Mapping[str, str], signatures: Iterable[str] = ()) -> list[str]:
    """Name the secrets that were written, and where.

    Args:
        places: where to look.
        secrets: what each is called → the secret itself.
        signatures: of requests.
    """
    wanted = {name: secret.encode() for name, secret in secrets.items()}
    signed = {one.encode() for one in signatures}
    leaks = []
    for place, content in places:
        leaks += [f"{name} in {place}" for name, secret in wanted.items() if secret in content]
        leaks += [f"a signature in {place}" for found in HASH.findall(content) if found in signed]
    return leaks


def files_below(folder: Path, besides: Iterable[str] = ()) -> Iterator[Place]:
    """All files of a folder.

    Args:
        folder: with whatever is below it.
        besides: names of folders and files that are left out.
    """
    left_out = set(besides)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= SMALL_BYTES and not left_out & set(path.parts):
            yield str(path), path.read_bytes()


def redis_content(client: redis.Redis) -> Iterator[Place]:
    """Everything in a database."""
    readers: dict[str, Callable[[str], Any]] = {
        "string": client.get,
        "hash": client.hgetall,
        "set": client.smembers,
        "list": lambda key: client.lrange(key, 0, -1),
        "zset": lambda key: client.zrange(key, 0, -1),
        "stream": client.xrange,
    }
    for key in client.scan_iter(count=1000):
        kind = str(client.type(key))
        yield f"Redis, {key}", repr(readers[kind](key)).encode()


def bucket_content(client: Any, bucket: str) -> Iterator[Place]:
    """The names and properties of all objects, and the content of small ones."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", ()):
            answer = client.get_object(Bucket=bucket, Key=one["Key"])
            content = answer["Body"].read() if one["Size"] <= SMALL_BYTES else b""
            yield f"object {one['Key']}", f"{one} {answer['Metadata']}".encode() + content


class CommandWatch:
    """Keeps the command lines of all programs that are seen meanwhile, as every user of the machine can see them.

    It also keeps the passwords of the proxies that they are given, which only their own user sees.
    """

    def __init__(self) -> None:
        self.lines: set[bytes] = set()
        self.passwords: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def places(self) -> Iterator[Place]:
        """What was seen."""
        for line in self.lines:
            yield f"the command line {line[:80]!r}", line

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    self.lines.add((process / "cmdline").read_bytes())
                    if b"http_proxy=" in (environment := (process / "environ").read_bytes()):
                        self.passwords.update(found.decode() for found in PROXY_LOGIN.findall(environment))
                except OSError:  # it has ended, or is somebody else's
                    continue
