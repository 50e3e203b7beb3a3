"""Broker URLs as Celery writes them; and what is logged of them."""

import pytest

from podjobs.contract.redaction import redact
from podjobs.redis_urls import redis_url


@pytest.mark.parametrize(
    ("celery", "ours"),
    [
        ("redis://redis:6379/7", "redis://redis:6379/7"),
        ("redis://:secret@redis/0", "redis://:secret@redis/0"),
        ("redis+socket:///run/redis.sock?virtual_host=5", "unix:///run/redis.sock?db=5"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("rediss://redis:6380/1?ssl_cert_reqs=CERT_NONE", "rediss://redis:6380/1?ssl_cert_reqs=none"),
    ],
)
def test_redis_url_is_translated(celery, ours):
    assert redis_url(celery) == ours


@pytest.mark.parametrize("url", ["amqp://u:secret@rabbit//", "secret", "", "redis://u:secret@redis/pod"])
def test_redis_url_of_another_kind_is_refused_without_repeating_it(url):
    with pytest.raises(ValueError, match="must") as caught:
        redis_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@redis:6379/7?x=secret", "redis://…@redis:6379/7?…"),
        ("redis://:secret#secret@redis:6379/7", "redis://…"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix://…@/run/redis.sock?…"),
        ("redis://redis:6379/7", "redis://redis:6379/7"),
    ],
)
def test_logs_show_the_address_alone(url, shown):
    assert redact(url) == shown
