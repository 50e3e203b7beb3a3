"""Broker URLs as Celery writes them; and what is logged of them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from podjobs.contract.redaction import redact
from podjobs.redis_urls import JobsUrl, RedisUrl, cluster_service, redis_url, sentinel_service


@pytest.mark.parametrize(
    ("celery", "ours"),
    [
        ("redis://redis:6379/7", "redis://redis:6379/7"),
        ("redis://:secret@redis/0", "redis://:secret@redis/0"),
        ("redis+socket:///run/redis.sock?virtual_host=5", "unix:///run/redis.sock?db=5"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("rediss://redis:6380/1?ssl_cert_reqs=CERT_NONE", "rediss://redis:6380/1?ssl_cert_reqs=none"),
        ("redis+sentinel://a,b:1,[::1]/pod", "redis+sentinel://a:26379,b:1,[::1]:26379/pod/0"),
        ("redis+sentinel://u:p%40w@a:1/pod/3?ssl=true", "rediss+sentinel://u:p%40w@a:1/pod/3"),
        (
            "rediss+sentinel://a:1/pod/3?ssl_ca_certs=/ca.pem&sentinel_password=x%26y",
            "rediss+sentinel://a:1/pod/3?ssl_ca_certs=%2Fca.pem&sentinel_password=x%26y",
        ),
        ("redis+cluster://a", "redis+cluster://a:6379/"),
        ("redis+cluster://u:p%40w@a,b:1,[::1]:2/0", "redis+cluster://u:p%40w@a:6379,b:1,[::1]:2/"),
        ("rediss+cluster://a:1?ssl_ca_certs=/ca.pem&db=0", "rediss+cluster://a:1/?ssl_ca_certs=%2Fca.pem"),
    ],
)
def test_redis_url_is_translated(celery, ours):
    assert redis_url(celery) == ours


@pytest.mark.parametrize(
    "url",
    [
        "amqp://u:secret@rabbit//",
        "secret",
        "",
        "redis://u:secret@redis/pod",
        "redis://u:secret/@redis/0",
        "redis://u:se?secret=1@redis/0",
        "redis://:secret@redis:0/0",
        "redis://:secret@redis/0?ssl_ca_certs=/ca.pem",
        "rediss://:secret@redis/0?ssl_cert_reqs=secret",
        "rediss://:secret@redis/0?ssl_check_hostname=secret",
        "rediss://:secret@redis/0?ssl_keyfile=/client.key",
        "redis://redis/0?db=secret",
        "redis://redis/0?secret=1",
        "sentinel://:secret@a:26379;sentinel://b:26379",
        "redis+sentinel://:secret@a:26379",
        "redis+sentinel://:secret@a:26379/",
        "redis+sentinel://:secret@a:26379//0",
        "redis+sentinel://:secret@a:26379/pod/secret",
        "redis+sentinel://:secret@a:26379/pod/0/1",
        "redis+sentinel://:secret@a:26379,/pod/0",
        "redis+sentinel://:secret@a:99999/pod/0",
        "redis+sentinel://:se/secret@a:26379/pod/0",
        "redis+sentinel://:se#secret@a:26379/pod/0",
        "redis+sentinel://:secret@a:26379/pod/0?ssl_ca_certs=/ca.pem",
        "redis+sentinel://:secret@a:26379/pod/0?socket_timeout=1",
        "redis+cluster://:secret@a:6379/1",
        "redis+cluster://:secret@a:6379?db=1",
        "redis+cluster://:secret@a:6379?virtual_host=1",
        "redis+cluster://:secret@a:6379,",
        "redis+cluster://:secret@",
        "redis+cluster://:se/secret@a:6379",
        "redis+cluster://:secret@a:6379?ssl_ca_certs=/ca.pem",
        "redis+cluster://:secret@a:6379?secret=1",
    ],
)
def test_redis_url_of_another_kind_is_refused_without_repeating_it(url):
    with pytest.raises(ValueError, match=r"^(must|has an option)") as caught:
        redis_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@redis:6379/7?x=secret", "redis://…@redis:6379/7?…"),
        ("redis://:secret#secret@redis:6379/7", "redis://…"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix://…@/run/redis.sock?…"),
        ("redis://redis:6379/7", "redis://redis:6379/7"),
        ("redis+sentinel://:secret@a:1,b:2/pod/0?sentinel_password=secret", "redis+sentinel://…@a:1,b:2/pod/0?…"),
        ("rediss+sentinel://[::1]:1,b-2.c:2/pod/0.", "rediss+sentinel://[::1]:1,b-2.c:2/pod/0."),
        ("rediss+cluster://u:secret@a:1,b:2/?ssl_keyfile=secret", "rediss+cluster://…@a:1,b:2/?…"),
        ("redis+sentinel://:secret,secret", "redis+sentinel://…"),
        ("redis+sentinel://user:1,secret", "redis+sentinel://…"),
        ("redis://user:1,secret:2", "redis://…"),
        ("sentinel_password=secret", "sentinel_password=…"),
    ],
)
def test_logs_show_the_address_alone(url, shown):
    assert redact(url) == shown


def test_sentinel_service_gives_each_side_its_own_login():
    service = sentinel_service(
        "rediss+sentinel://u:p%40w@a:1,b:2/pod/3?sentinel_username=s&sentinel_password=x%26y&ssl_ca_certs=%2Fca.pem"
    )
    assert service is not None
    assert service.master == "pod"
    assert service.master_url == "rediss://u:p%40w@/3?ssl_ca_certs=%2Fca.pem"
    assert service.sentinel_urls == (
        "rediss://s:x%26y@a:1/?ssl_ca_certs=%2Fca.pem",
        "rediss://s:x%26y@b:2/?ssl_ca_certs=%2Fca.pem",
    )


def test_sentinel_service_without_logins_has_none():
    service = sentinel_service("redis+sentinel://a:1/pod/0")
    assert service is not None
    assert (service.master_url, service.sentinel_urls) == ("redis:///0", ("redis://a:1/",))


def test_sentinel_service_of_a_single_server_is_none():
    assert sentinel_service("redis://a:1/0") is None


def test_cluster_service_has_the_login_and_options_for_every_node():
    service = cluster_service("rediss+cluster://u:p%40w@a:1,[::1]:2/?ssl_ca_certs=%2Fca%2Fca.pem")
    assert service is not None
    assert service.is_tls
    assert service.addresses == ("a:1", "[::1]:2")
    assert service.master_url == "rediss://u:p%40w@/?ssl_ca_certs=%2Fca%2Fca.pem"
    assert service.node_url("[::1]:2") == "rediss://u:p%40w@[::1]:2/?ssl_ca_certs=%2Fca%2Fca.pem"
    assert cluster_service("redis://a:1/0") is None


def test_redis_setting_of_queues_refuses_a_cluster_and_says_which_may_be_one():
    url = "redis+cluster://:secret@a:6379"
    assert TypeAdapter(JobsUrl).validate_python(url).get_secret_value() == f"{url}/"
    with pytest.raises(ValidationError, match="only PODJOBS_REDIS_URL, for jobs, may begin with"):
        TypeAdapter(RedisUrl).validate_python(url)


def test_redis_setting_that_names_a_missing_file_is_refused(tmp_path):
    url = TypeAdapter(RedisUrl)
    with pytest.raises(ValidationError, match=r"missing here or cannot be read: its ssl_ca_certs"):
        url.validate_python(f"rediss://:secret@redis/0?ssl_ca_certs={tmp_path / 'ca.pem'}")
    (tmp_path / "ca.pem").write_text("")
    shown = url.validate_python(f"rediss+sentinel://a/pod?ssl_ca_certs={tmp_path / 'ca.pem'}").get_secret_value()
    assert shown.startswith("rediss+sentinel://a:26379/pod/0?ssl_ca_certs=")
