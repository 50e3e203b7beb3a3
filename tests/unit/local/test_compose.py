"""compose.yaml: each program gets what concerns it, and may do no more than it must."""

import json
import os
import subprocess

import pytest

from adapter.settings import adapter_settings
from local.environments import names_of
from local.functions import SETTINGS
from local.images.catalogue import IMAGES, REPOSITORY
from podjobs.entry.rq.settings import WorkerSettings
from podjobs.settings import MediaSettings
from support.checkers import find_checker

GIVEN = {
    "MEDIA_ROOT": "/pod/media",
    "MEDIA_DIR": "/mnt/media",
    "PODJOBS_FUNCTION_SECRET": "0123456789abcdef",
    "POD_API_TOKEN": "a-token",
    "AWS_SECRET_ACCESS_KEY": "a-key",
}
OF_THE_IMAGE = {"FFMPEG_CMD", "FFPROBE_CMD", "PODJOBS_HEALTH_HOST", "PODJOBS_HEALTH_PORT"}
"""Settings that images answer themselves."""
AWS = {"ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "ENDPOINT_URL"}
TRACES = {
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
}  # fmt: skip
"""OpenTelemetry's own, which every program reads."""
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
ALL_PROFILES = ("--profile", "transcription", "--profile", "xapi", "--profile", "s3")


def compose(*arguments, given=GIVEN):
    argv = [find_checker("docker-compose"), "--env-file", os.devnull, "--project-directory", REPOSITORY, *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | given
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=REPOSITORY)


@pytest.fixture(scope="module")
def services():
    done = compose(*ALL_PROFILES, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["services"]


@pytest.fixture(scope="module")
def workers():
    files = ("-f", "compose.yaml", "-f", "compose.rq.yaml")
    done = compose(*files, *ALL_PROFILES, "config", "--format", "json", given=GIVEN | {"XAPI_LRS_URL": "https://lrs"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["services"]


@pytest.mark.parametrize("name", SETTINGS)
def test_service_of_a_function_is_given_the_functions_own_settings(services, name):
    expected = (names_of(SETTINGS[name]) - OF_THE_IMAGE) | TRACES
    if issubclass(SETTINGS[name], MediaSettings):
        expected |= {f"AWS_{one}" for one in AWS}
    if name != "encoding":
        expected |= PROXIES
    assert set(services[name]["environment"]) == expected


def test_service_of_the_adapter_is_given_the_adapters_own_settings(services):
    expected = (names_of(adapter_settings()) - OF_THE_IMAGE) | TRACES
    assert set(services["adapter"]["environment"]) == expected


@pytest.mark.parametrize(
    ("secret", "holders"),
    [("a-token", {"notification"}), ("a-key", {"encoding", "transcription", "notification", "s3"})],
)
def test_secrets_reach_those_that_use_them(services, secret, holders):
    given = {name: (service.get("environment") or {}).values() for name, service in services.items()}
    assert {name for name, values in given.items() if secret in values} == holders


@pytest.mark.parametrize("name", IMAGES)
def test_service_may_do_no_more_than_it_must(services, name):
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "10001:10001"
    assert service["image"] == f"pod-functions/{name}"


def test_media_are_mounted_where_media_are_used(services):
    mounted = {name for name, one in services.items() if any(v["target"] == "/media" for v in one.get("volumes", ()))}
    assert mounted == {"encoding", "transcription", "notification"}
    (media,) = [volume for volume in services["encoding"]["volumes"] if volume["target"] == "/media"]
    assert (media["type"], media["source"]) == ("bind", "/mnt/media")


def test_runner_api_alone_lets_the_adapter_read_the_media():
    files = ("-f", "compose.yaml", "-f", "compose.runner.yaml")
    done = compose(*files, "config", "--format", "json", given=GIVEN | {"PODJOBS_RUNNER_CLIENTS": '{"pod": {}}'})
    assert done.returncode == 0, done.stderr
    adapter = json.loads(done.stdout)["services"]["adapter"]
    (media,) = [volume for volume in adapter["volumes"] if volume["target"] == "/media"]
    assert (media["source"], media["read_only"]) == ("/mnt/media", True)
    own = names_of(adapter_settings()) | names_of(MediaSettings)
    assert {name for name in adapter["environment"] if not name.startswith(("AWS_", "OTEL_"))} <= own
    assert adapter["environment"]["MEDIA_URL"] == "file:///media"
    assert {(port["host_ip"], port["target"]) for port in adapter["ports"]} == {
        ("127.0.0.1", 8090),
        ("127.0.0.1", 8091),
    }
    without = compose(*files, "config", "-q")
    assert "podjobs runner-client writes it" in without.stderr


def test_redis_keeps_what_it_has_accepted_and_is_reached_from_this_machine_only(services):
    command = " ".join(services["redis"]["command"])
    assert all(words in command for words in ("appendonly yes", "appendfsync always", "maxmemory-policy noeviction"))
    assert [port["host_ip"] for port in services["redis"]["ports"]] == ["127.0.0.1"]


def test_queues_without_a_function_are_left_to_pod(services, workers):
    own = services["adapter"]["environment"]
    assert (own["PODJOBS_FUNCTION_URL_TRANSCRIPTION"], own["PODJOBS_FUNCTION_URL_XAPI"]) == ("", "")
    assert workers["adapter"]["environment"]["PODJOBS_FUNCTION_URL_XAPI"] == "rq:xapi"


def test_workers_take_the_place_of_servers(workers):
    settings = names_of(WorkerSettings) - {"PODJOBS_REDIS_URL", "ENCODING_TRANSCODING_CELERY_BROKER_URL"}
    for name in SETTINGS:
        assert workers[name]["command"] == ["worker"]
        assert settings <= set(workers[name]["environment"])
    assert workers["adapter"]["environment"]["PODJOBS_FUNCTION_URL_ENCODING"] == "rq:encoding"


@pytest.mark.parametrize("name", ["MEDIA_ROOT", "PODJOBS_FUNCTION_SECRET"])
def test_compose_without_a_setting_that_there_must_be_says_so(name):
    done = compose("config", "-q", given={one: value for one, value in GIVEN.items() if one != name})
    assert done.returncode != 0
    assert f"{name} is missing a value: must be set in .env" in done.stderr
