"""A password of Redis is rotated while programs are connected: they go on with the new one."""

import asyncio
import json
import uuid

import pytest
from redis.exceptions import AuthenticationError

from adapter.redis.connections import open_redis
from podjobs.redis_connections import open_redis_sync
from podjobs.redis_urls import redis_url
from podjobs.secret_store.held import held_secrets
from support.parts import running_redis
from support.redis_servers import quoted

OLD, NEW = "of the data, with @ / and ?", "another: %41"
SETTING = "PODJOBS_REDIS_URL"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis"), append_only=False) as port:
        yield port


class RotatedRedis:
    """A Redis with a user whose password is in a secret."""

    def __init__(self, port, file):
        self._port, self._file = port, file
        self.user = f"u{uuid.uuid4().hex}"

    def allow(self, password):
        """The password counts, and no other; whoever is connected is thrown out."""
        with open_redis_sync(f"redis://127.0.0.1:{self._port}/0") as client:
            client.execute_command("ACL", "SETUSER", self.user, "reset", "on", f">{password}", "allkeys", "+@all")
            client.execute_command("CLIENT", "KILL", "USER", self.user)

    def publish(self, password, place=""):
        """The secret says this password."""
        self._file.write_text(json.dumps({SETTING: self.url(password, place)}))

    def url(self, password, place=""):
        return f"redis://{self.user}:{quoted(password)}@{place or f'127.0.0.1:{self._port}'}/3"


@pytest.fixture
def rotated(port, tmp_path, monkeypatch):
    file = tmp_path / "secret.json"
    monkeypatch.setenv("PODJOBS_SECRETS", f"file://{file}")
    redis = RotatedRedis(port, file)
    redis.allow(OLD)
    redis.publish(OLD)
    held = held_secrets()
    assert held.begin() == ()
    held._tried_at_s -= 60  # it was read a minute ago
    return redis


async def test_client_goes_on_with_the_new_password(rotated):
    client = open_redis(redis_url(rotated.url(OLD)), text=True)
    await client.set("k", "v")
    rotated.publish(NEW)
    rotated.allow(NEW)

    assert await asyncio.gather(*(client.get("k") for _ in range(40))) == ["v"] * 40
    await client.aclose()


def test_client_without_an_event_loop_goes_on_with_the_new_password(rotated):
    with open_redis_sync(redis_url(rotated.url(OLD)), text=True) as client:
        client.set("k", "v")
        rotated.publish(NEW)
        rotated.allow(NEW)

        assert client.get("k") == "v"


async def test_client_whose_secret_says_nothing_new_is_refused_and_goes_on_when_it_does(rotated):
    client = open_redis(redis_url(rotated.url(OLD)), text=True)
    rotated.allow(NEW)

    with pytest.raises(AuthenticationError):
        await client.get("k")

    rotated.publish(NEW)
    held_secrets()._tried_at_s -= 60
    await client.get("k")
    await client.aclose()


async def test_client_is_not_led_to_another_server(rotated):
    client = open_redis(redis_url(rotated.url(OLD)), text=True)
    rotated.publish(NEW, place="127.0.0.1:1")
    rotated.allow(NEW)

    with pytest.raises(AuthenticationError):
        await client.get("k")
    await client.aclose()


async def test_client_whose_url_is_no_secrets_keeps_its_password(rotated):
    client = open_redis(redis_url(rotated.url(OLD) + "?client_name=other"), text=True)
    rotated.publish(NEW)
    rotated.allow(NEW)

    with pytest.raises(AuthenticationError):
        await client.get("k")
    await client.aclose()
