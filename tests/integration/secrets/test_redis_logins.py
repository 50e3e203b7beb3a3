"""A password of Redis is rotated while programs are connected: they go on with the new one."""

import asyncio
import uuid

import pytest
from redis.exceptions import AuthenticationError

from adapter.redis.connections import open_redis
from adapter.redis_retry import retry_until_redis_answers
from podjobs.redis_connections import open_redis_sync
from podjobs.redis_urls import redis_url
from podjobs.secret_store.held import held_secrets
from support.kept_secrets import SecretFile
from support.parts import running_redis
from support.redis_servers import MASTER, quoted, running_cluster

OLD, NEW = "of the data, with @ / and ?", "another: %41"
SETTING = "PODJOBS_REDIS_URL"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis"), append_only=False) as port:
        yield port


class RotatedRedis(SecretFile):
    """A Redis with a user whose password is in a secret."""

    def __init__(self, port, path):
        super().__init__(path)
        self._port = port
        self.user = f"u{uuid.uuid4().hex}"

    def allow(self, password):
        """The password counts, and no other; whoever is connected is thrown out."""
        with open_redis_sync(f"redis://127.0.0.1:{self._port}/0") as client:
            client.execute_command("ACL", "SETUSER", self.user, "reset", "on", f">{password}", "allkeys", "+@all")
            client.execute_command("CLIENT", "KILL", "USER", self.user)

    def publish(self, password, place=""):
        """The secret says this password."""
        self.write(**{SETTING: self.url(password, place)})

    def url(self, password, place=""):
        return f"redis://{self.user}:{quoted(password)}@{place or f'127.0.0.1:{self._port}'}/3"


@pytest.fixture
def rotated(port, tmp_path, monkeypatch):
    redis = RotatedRedis(port, tmp_path / "secret.json")
    monkeypatch.setenv("PODJOBS_SECRETS", redis.setting)
    redis.allow(OLD)
    redis.publish(OLD)
    assert held_secrets().begin() == ()
    redis.let_pass(60)
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
    rotated.let_pass(60)
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


@pytest.mark.slow
async def test_client_of_sentinel_goes_on_with_the_new_passwords_of_master_and_sentinels(tmp_path, monkeypatch):
    with running_cluster(tmp_path / "redis") as cluster:
        file = SecretFile(tmp_path / "secret.json")
        monkeypatch.setenv("PODJOBS_SECRETS", file.setting)
        file.write(**{SETTING: cluster.url})
        assert file.held.begin() == ()
        client = open_redis(cluster.url, text=True)
        with open_redis_sync(cluster.url, text=True, retries=8, longest_wait_s=2) as plain:
            await client.set("k", "v")
            assert plain.get("k") == "v"

            for sentinel in cluster.sentinels:
                sentinel.call("SENTINEL", "SET", MASTER, "auth-pass", NEW)
                sentinel.call("SENTINEL", "CONFIG", "SET", "sentinel-pass", NEW)
                sentinel.call("ACL", "SETUSER", "default", "resetpass", f">{NEW}")
            for server in cluster.servers[::-1]:
                server.call("CONFIG", "SET", "masterauth", NEW)
                server.call("CONFIG", "SET", "requirepass", NEW)
            for program in cluster.programs:
                host = program.url.rpartition("@")[2]
                with open_redis_sync(f"redis://:{quoted(NEW)}@{host}") as admin:
                    admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            hosts = cluster.url.rpartition("@")[2].partition("?")[0]
            file.write(**{SETTING: f"redis+sentinel://:{quoted(NEW)}@{hosts}?sentinel_password={quoted(NEW)}"})
            file.let_pass(60)

            assert await retry_until_redis_answers(lambda: client.get("k"), "look") == "v"
            assert plain.get("k") == "v"
        await client.aclose()
