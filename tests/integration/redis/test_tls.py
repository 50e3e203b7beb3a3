"""Redis over TLS, whose server answers only clients with a certificate of its authority."""

import contextlib

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from adapter.redis.connections import open_redis
from podjobs.redis_connections import open_redis_sync
from podjobs.redis_urls import redis_url
from support.processes import START_TIMEOUT_S
from support.redis_servers import make_certificates, new_server

LATE = "CERTIFICATE_REQUIRED|EOF occurred|reset|closed|Broken pipe"
"""With TLS 1.3 a client is refused after its handshake: it may see the reason, or a closed connection."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    server = new_server(folder, "redis", tls=make_certificates(folder / "certificates"))
    server.start()
    try:
        server.wait_for(server.answers, START_TIMEOUT_S)
        yield server
    finally:
        server.kill()


async def test_redis_over_tls_answers_a_client_with_a_certificate(server):
    async with contextlib.aclosing(open_redis(redis_url(server.url), text=True)) as client:
        await client.set("by", "the adapter")
    with open_redis_sync(redis_url(server.url), text=True) as client:
        assert client.get("by") == "the adapter"


@pytest.mark.parametrize(
    ("lacks", "why"),
    [(("ssl_ca_certs",), "CERTIFICATE_VERIFY_FAILED"), (("ssl_certfile", "ssl_keyfile"), LATE)],
)
async def test_redis_over_tls_refuses_a_client_that_lacks_a_file(server, lacks, why):
    address, _, query = server.url.partition("?")
    kept = "&".join(option for option in query.split("&") if not option.startswith(lacks))
    async with contextlib.aclosing(open_redis(f"{address}?{kept}", text=True)) as client:
        with pytest.raises(RedisConnectionError, match=why):
            await client.ping()
    with open_redis_sync(f"{address}?{kept}") as client, pytest.raises(RedisConnectionError, match=why):
        client.ping()


async def test_redis_over_tls_by_another_name_than_the_certificate_has_is_refused(server):
    url = redis_url(server.url.replace("127.0.0.1", "localhost"))
    async with contextlib.aclosing(open_redis(url, text=True)) as client:
        with pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.ping()
    async with contextlib.aclosing(open_redis(f"{url}&ssl_check_hostname=false", text=True)) as client:
        assert await client.ping()
