"""The adapter's settings: all faults at once, no secret shown."""

import pytest

from adapter.settings import adapter_settings
from podjobs.contract.jobs import Job
from podjobs.contract.workflows import WORKFLOWS, Function, Workflow
from podjobs.entry.rq.settings import WorkerSettings
from podjobs.settings import SettingsError, load_settings

GOOD = {
    "ENCODING_TRANSCODING_CELERY_BROKER_URL": "redis://:s3cret@redis:6379/7",
    "MEDIA_ROOT": "/media",
    "PODJOBS_FUNCTION_URL_ENCODING": "http://encoding/",
    "PODJOBS_FUNCTION_URL_NOTIFICATION": "https://notification/",
}


@pytest.fixture
def settings_of(monkeypatch):
    def load(**changes):
        for name, value in (GOOD | changes).items():
            monkeypatch.setenv(name, value)
        return load_settings(adapter_settings())

    return load


def test_jobs_are_kept_in_the_brokers_redis_unless_told_otherwise(settings_of):
    assert settings_of().jobs_url == "redis://:s3cret@redis:6379/7"
    assert settings_of(PODJOBS_REDIS_URL="redis://other/1").jobs_url == "redis://other/1"


def test_functions_have_their_own_limits(settings_of):
    encoding, notification = settings_of(
        PODJOBS_CONCURRENCY_ENCODING="64", PODJOBS_RETRY_LIMIT_NOTIFICATION="9"
    ).functions
    assert (encoding.name, encoding.concurrency, encoding.retries.limit) == ("encoding", 64, 5)
    assert (notification.name, notification.concurrency, notification.retries.limit) == ("notification", 4, 9)


def test_concurrency_that_nobody_has_set_is_told_apart_from_one_of_the_same_size(settings_of):
    encoding, notification = settings_of(PODJOBS_CONCURRENCY_NOTIFICATION="4").functions
    assert (encoding.concurrency_is_set, notification.concurrency_is_set) == (False, True)
    assert settings_of().functions[1].concurrency == notification.concurrency


def test_all_faults_are_named_at_once_and_no_value_is_repeated(settings_of):
    wrong = {
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": "amqp://u:s3cret@rabbit//",
        "MEDIA_ROOT": "media",
        "PODJOBS_FUNCTION_URL_ENCODING": "encoding",
        "PODJOBS_JOB_TTL_S": "0",
        "PODJOBS_HEALTH_PORT": "99999",
        "PODJOBS_RETRY_FACTOR": "0.5",
    }
    with pytest.raises(SettingsError) as caught:
        settings_of(**wrong)
    for name in wrong:
        assert name in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_secrets_are_hidden_in_repr(settings_of):
    settings = settings_of(PODJOBS_FUNCTION_URL_XAPI="https://user:s3cret@xapi/")
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(settings.statements)


def test_statements_are_left_alone_until_their_function_is_named(settings_of):
    assert settings_of().statements is None
    statements = settings_of(PODJOBS_FUNCTION_URL_XAPI="http://xapi/", PODJOBS_CONCURRENCY_XAPI="7").statements
    assert (statements.function.url, statements.function.concurrency) == ("http://xapi/", 7)
    assert (statements.batches.statements, statements.batches.size_bytes, statements.batches.wait_s) == (
        500,
        1_000_000,
        1,
    )


def test_statements_come_from_the_encoding_broker_unless_told_otherwise(settings_of):
    assert settings_of().xapi_broker_url == "redis://:s3cret@redis:6379/7"
    assert settings_of(XAPI_CELERY_BROKER_URL="redis://other/6").xapi_broker_url == "redis://other/6"


def test_transcription_is_served_only_when_its_function_is_named(settings_of):
    assert [function.name for function in settings_of().functions] == ["encoding", "notification"]
    with_url = settings_of(
        PODJOBS_FUNCTION_URL_TRANSCRIPTION="http://transcription/",
        PODJOBS_CONCURRENCY_TRANSCRIPTION="7",
        PODJOBS_RETRY_LIMIT_TRANSCRIPTION="3",
    )
    _, transcription, _ = with_url.functions
    assert (transcription.name, transcription.concurrency, transcription.retries.limit) == ("transcription", 7, 3)


def test_settings_of_every_function_come_from_the_table(settings_of):
    WORKFLOWS["toy"] = Workflow(Job, Function("toy", concurrency=3, attempts=2, enabled_by="TOY"))
    try:
        assert "toy" not in {function.name for function in settings_of().functions}
        toy = next(one for one in settings_of(PODJOBS_FUNCTION_URL_TOY="http://toy/").functions if one.name == "toy")
    finally:
        del WORKFLOWS["toy"]
    assert (toy.url, toy.concurrency, toy.retries.limit) == ("http://toy/", 3, 2)


def test_function_url_with_an_unknown_scheme_is_refused_with_the_schemes_that_are_supported(settings_of):
    with pytest.raises(SettingsError) as caught:
        settings_of(PODJOBS_FUNCTION_URL_ENCODING="gopher://s3cret@encoding/")
    assert "PODJOBS_FUNCTION_URL_ENCODING: " in str(caught.value)
    assert "must be a URL that begins with http: or https: or rq:" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("secret", ["short", "fifteen-chars-1", "s3cret with spaces in it", "s3cret-s3cret-s3crét"])
def test_function_secret_that_is_short_or_not_plain_is_refused_without_being_repeated(settings_of, secret):
    with pytest.raises(SettingsError) as caught:
        settings_of(PODJOBS_FUNCTION_SECRET=secret)
    assert "PODJOBS_FUNCTION_SECRET: " in str(caught.value)
    assert secret not in str(caught.value)


def test_function_secret_is_hidden_and_excludes_a_login_in_a_url(settings_of):
    secret = {"PODJOBS_FUNCTION_SECRET": "s3cret-s3cret-s3cret"}
    assert "s3cret" not in repr(settings_of(**secret))
    with pytest.raises(SettingsError) as caught:
        settings_of(**secret, PODJOBS_FUNCTION_URL_XAPI="https://user:pw@xapi/")
    assert "PODJOBS_FUNCTION_URL_XAPI must not contain a login beside PODJOBS_FUNCTION_SECRET" in str(caught.value)


def test_batches_of_statements_fit_into_a_request(settings_of):
    with pytest.raises(SettingsError) as caught:
        settings_of(PODJOBS_XAPI_BATCH_BYTES="8000000")
    assert "PODJOBS_XAPI_BATCH_BYTES: " in str(caught.value)


def test_dead_letters_have_more_room_than_statements_so_that_these_never_stop_the_jobs(settings_of):
    assert settings_of().podjobs_dead_limit_bytes > settings_of().podjobs_xapi_held_bytes
    with pytest.raises(SettingsError, match="PODJOBS_DEAD_LIMIT_BYTES must be more than PODJOBS_XAPI_HELD_BYTES"):
        settings_of(PODJOBS_DEAD_LIMIT_BYTES="1000", PODJOBS_XAPI_HELD_BYTES="1000")


def test_share_of_a_queue_is_that_of_all_unless_it_has_its_own_and_queues_that_are_not_read_have_none(settings_of):
    assert settings_of().shares == {"encoding": 100}
    assert settings_of(PODJOBS_SHARE="10").shares == {"encoding": 10}
    both = {"PODJOBS_FUNCTION_URL_TRANSCRIPTION": "http://t/", "PODJOBS_FUNCTION_URL_XAPI": "http://x/"}
    shares = settings_of(PODJOBS_SHARE="10", PODJOBS_SHARE_XAPI="100", PODJOBS_SHARE_TRANSCRIPTION="50", **both).shares
    assert shares == {"encoding": 10, "transcripting": 50, "xapi": 100}


@pytest.mark.parametrize("percent", ["0", "101", "-1", "10.5", "ten"])
def test_share_is_a_whole_number_of_percent_from_1_to_100(settings_of, percent):
    with pytest.raises(SettingsError, match=r"PODJOBS_SHARE_XAPI"):
        settings_of(PODJOBS_SHARE_XAPI=percent)


def test_jobs_may_be_in_a_cluster_and_queues_may_not(settings_of):
    cluster = "redis+cluster://:s3cret@a:6379,b:6379"
    settings = settings_of(PODJOBS_REDIS_URL=cluster)
    assert (settings.jobs_in_cluster, settings.jobs_url) == (True, f"{cluster}/")
    with pytest.raises(SettingsError) as caught:
        settings_of(ENCODING_TRANSCODING_CELERY_BROKER_URL=cluster, PODJOBS_RQ_URL=cluster)
    assert str(caught.value).count("only PODJOBS_REDIS_URL, for jobs, may begin with redis+cluster://") == 2
    assert "s3cret" not in str(caught.value)


def test_functions_behind_rq_need_a_redis_of_their_own_beside_a_cluster(settings_of):
    changes = {"PODJOBS_REDIS_URL": "redis+cluster://a:6379", "PODJOBS_FUNCTION_URL_ENCODING": "rq:encoding"}
    with pytest.raises(SettingsError, match=r"PODJOBS_RQ_URL must be set for PODJOBS_FUNCTION_URL_ENCODING: RQ cannot"):
        settings_of(**changes)
    assert settings_of(**changes, PODJOBS_RQ_URL="redis://plain/0").rq_url == "redis://plain/0"


def test_workers_of_rq_name_a_redis_of_their_own_beside_a_cluster(monkeypatch):
    monkeypatch.setenv("PODJOBS_REDIS_URL", "redis+cluster://a:6379")
    with pytest.raises(SettingsError, match=r"PODJOBS_RQ_URL must be set, as the adapter has it: RQ cannot"):
        load_settings(WorkerSettings)
    monkeypatch.setenv("PODJOBS_RQ_URL", "redis://plain/0")
    assert load_settings(WorkerSettings).rq_url == "redis://plain/0"
