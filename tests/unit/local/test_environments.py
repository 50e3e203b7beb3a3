"""Each program gets its own settings, and no program those of another."""

import json
import os
import subprocess
import sys

import pytest

from adapter.operator.command_group import ALIASES, COMMANDS
from local.environments import (
    CALLING_COMMAND,
    SETTINGS_OF_COMMANDS,
    adapter_environment,
    all_settings,
    command_environment,
    function_environment,
    object_store_environment,
    plain_environment,
    stand_in_environment,
    worker_environment,
)
from local.functions import SETTINGS
from local.programs import ADAPTER_ORDER, LAUNCHER, Program, environment_file
from local.stack import running_environment, write_environments

GIVEN = {
    "ENCODING_TRANSCODING_CELERY_BROKER_URL": "redis://:pw@redis/0",
    "MEDIA_ROOT": "/media",
    "POD_API_URL": "https://pod/rest",
    "POD_API_TOKEN": "token",
    "XAPI_LRS_URL": "https://lrs/",
    "XAPI_LRS_LOGIN": "pod",
    "XAPI_LRS_PWD": "password",
    "PODJOBS_XAPI_ANONYMIZE_KEY": "key",
    "PODJOBS_FUNCTION_SECRET": "secret",
    "PODJOBS_FUNCTION_URL_XAPI": "http://xapi/",
    "PODJOBS_SETTINGS_FILE": "/pod/settings_local.py",
    "FFMPEG_CRF": "20",
    "HTTPS_PROXY": "http://user:pw@proxy/",
    "HF_TOKEN": "token of Hugging Face",
    "CUDA_VISIBLE_DEVICES": "0",
    "DJANGO_SECRET_KEY": "foreign",
    "AWS_SECRET_ACCESS_KEY": "foreign, as the media are in a folder",
    "PATH": "/bin",
    "LC_ALL": "C",
    "POD_FUNCTIONS_MARK": "m",
}
EVERYBODYS = {"PATH", "LC_ALL", "POD_FUNCTIONS_MARK"}
ENVIRONMENTS = {
    "plain": (plain_environment(GIVEN), set()),
    "adapter": (
        adapter_environment(GIVEN),
        {
            "ENCODING_TRANSCODING_CELERY_BROKER_URL", "MEDIA_ROOT", "PODJOBS_FUNCTION_SECRET",
            "PODJOBS_FUNCTION_URL_XAPI", "POD_API_URL",
        },
    ),
    "stand-in": (
        stand_in_environment(GIVEN), {"ENCODING_TRANSCODING_CELERY_BROKER_URL", "POD_API_TOKEN", "MEDIA_ROOT"},
    ),
    "S3 server": (object_store_environment(GIVEN), {"AWS_SECRET_ACCESS_KEY"}),
    "encoding": (function_environment("encoding", GIVEN), {"MEDIA_ROOT", "PODJOBS_FUNCTION_SECRET", "FFMPEG_CRF"}),
    "notification": (
        function_environment("notification", GIVEN),
        {"MEDIA_ROOT", "POD_API_URL", "POD_API_TOKEN", "PODJOBS_FUNCTION_SECRET", "HTTPS_PROXY"},
    ),
    "transcription": (
        function_environment("transcription", GIVEN),
        {"MEDIA_ROOT", "PODJOBS_FUNCTION_SECRET", "HTTPS_PROXY", "HF_TOKEN", "CUDA_VISIBLE_DEVICES"},
    ),
    "xapi": (
        function_environment("xapi", GIVEN),
        {
            "XAPI_LRS_URL", "XAPI_LRS_LOGIN", "XAPI_LRS_PWD", "PODJOBS_XAPI_ANONYMIZE_KEY", "PODJOBS_FUNCTION_SECRET",
            "HTTPS_PROXY",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", ENVIRONMENTS)
def test_environment_holds_what_the_program_needs_and_nothing_else(program):
    environment, own = ENVIRONMENTS[program]
    assert set(environment) == own | EVERYBODYS
    assert environment.items() <= GIVEN.items()


OBJECT_STORAGE = {
    "MEDIA_URL": "s3://media/pod",
    "PODJOBS_S3_ENDPOINT": "https://s3.example.org",
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_PROFILE": "pod",
    "AWS_REGION": "eu-west-3",
    "AWS_CA_BUNDLE": "/etc/ca.pem",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/token",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/pod",
    "BOTO_CONFIG": "/etc/boto.cfg",
    "HOME": "/home/pod",
    "HTTPS_PROXY": "http://user:pw@proxy/",
    "no_proxy": "localhost",
    "SSL_CERT_FILE": "/etc/ca.pem",
}


@pytest.mark.parametrize("name", ["encoding", "transcription", "notification"])
def test_function_that_reads_media_on_an_object_storage_has_what_its_client_reads(name):
    environment = function_environment(name, GIVEN | OBJECT_STORAGE)
    assert OBJECT_STORAGE.items() <= environment.items()
    assert function_environment(name, GIVEN).items() <= environment.items()


@pytest.mark.parametrize(
    "environment_of",
    [
        adapter_environment,
        lambda given: function_environment("encoding", given),
        lambda given: function_environment("xapi", given),
        lambda given: worker_environment("xapi", given),
        lambda given: command_environment(given, given),
    ],
)
def test_program_whose_settings_are_secrets_has_what_aws_is_asked_with_if_they_are_there(environment_of):
    aws = {name: value for name, value in OBJECT_STORAGE.items() if name.startswith(("AWS_", "BOTO_", "HTTPS_"))}
    given = GIVEN | aws
    assert environment_of(given | {"PODJOBS_SECRETS": "podjobs/functions"}).items() >= aws.items()
    in_file = environment_of(given | {"PODJOBS_SECRETS": "file:///run/secrets/podjobs.json"})
    assert in_file["PODJOBS_SECRETS"] == "file:///run/secrets/podjobs.json"
    assert not any(name.startswith(("AWS_", "BOTO_")) for name in in_file)


def test_stand_in_reads_media_on_an_object_storage_as_the_functions_do():
    assert OBJECT_STORAGE.items() <= stand_in_environment(GIVEN | OBJECT_STORAGE).items()


@pytest.mark.parametrize(
    "environment_of",
    [adapter_environment, lambda given: function_environment("xapi", given), plain_environment,
     lambda given: command_environment(given, given),
     lambda given: command_environment(given, given, "check")],
    ids=["adapter", "xapi", "plain", "command", "command that calls functions"],
)  # fmt: skip
def test_program_that_reads_no_media_has_no_credentials_of_an_object_storage(environment_of):
    environment = environment_of(OBJECT_STORAGE)
    assert not [name for name in environment if name.startswith(("AWS_", "BOTO_", "PODJOBS_S3_"))]


def test_adapter_with_the_runner_api_reads_media_as_the_functions_do():
    serving = {"PODJOBS_RUNNER_PORT": "8091"}
    found = adapter_environment(GIVEN | serving | {"MEDIA_URL": "s3://bucket/media", "AWS_ACCESS_KEY_ID": "a-key"})
    assert (found["MEDIA_URL"], found["AWS_ACCESS_KEY_ID"]) == ("s3://bucket/media", "a-key")
    found = adapter_environment(GIVEN | serving | {"MEDIA_URL": "file:///mnt", "AWS_ACCESS_KEY_ID": "a-key"})
    assert (found["MEDIA_URL"], found.get("AWS_ACCESS_KEY_ID")) == ("file:///mnt", None)


def test_function_that_reads_media_in_a_folder_has_no_credentials_of_an_object_storage():
    given = OBJECT_STORAGE | {"MEDIA_URL": "file:///media"}
    for name in SETTINGS:
        assert not [one for one in function_environment(name, given) if one.startswith(("AWS_", "BOTO_"))]


def test_s3_server_has_the_credentials_that_it_accepts_and_nothing_else():
    keys = {"WEED_JWT_SIGNING_KEY": "k", "WEED_JWT_FILER_SIGNING_KEY": "l"}
    environment = object_store_environment(GIVEN | OBJECT_STORAGE | keys)
    own = {name: OBJECT_STORAGE[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")} | keys
    assert environment == plain_environment(GIVEN | OBJECT_STORAGE) | own


def test_every_function_has_all_its_settings():
    for name, kind in SETTINGS.items():
        given = {field.upper(): "x" for field in kind.model_fields}
        assert function_environment(name, given) == given


def test_all_settings_are_those_of_every_program():
    assert {
        "POD_API_TOKEN",
        "XAPI_LRS_PWD",
        "PODJOBS_FUNCTION_URL_XAPI",
        "FFMPEG_CRF",
        "PODJOBS_SWEEP_S",
    } <= all_settings()


def test_command_environment_is_the_terminals_with_the_settings_of_commands_alone():
    inherited = {"TERM": "xterm", "POD_API_TOKEN": "token", "PODJOBS_SETTINGS_FILE": "/pod/settings_local.py"}
    assert command_environment(inherited, GIVEN) == {
        "TERM": "xterm",
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": "redis://:pw@redis/0",
    }


def test_command_environment_of_a_command_that_calls_functions_has_the_adapters_settings():
    environment = command_environment({"TERM": "xterm"}, GIVEN, "check")
    assert environment.items() >= {"MEDIA_ROOT": "/media", "PODJOBS_FUNCTION_SECRET": "secret"}.items()
    assert "POD_API_TOKEN" not in environment


@pytest.mark.parametrize(
    ("command", "own"),
    [
        ("cost", {"PODJOBS_PRICE_CPU_HOUR"}),
        ("mail-test", {"ADMINS", "EMAIL_HOST_PASSWORD", "LANGUAGE_CODE"}),
        ("show", {"LANGUAGE_CODE"}),
        ("job", {"LANGUAGE_CODE"}),
        ("submit", {"MEDIA_ROOT", "MEDIA_URL"}),
        ("jobs", set()),
    ],
)
def test_command_environment_has_what_that_command_reads_and_no_more(command, own):
    names = {"ADMINS", "EMAIL_HOST_PASSWORD", "LANGUAGE_CODE", "MEDIA_ROOT", "MEDIA_URL", "PODJOBS_PRICE_CPU_HOUR"}
    environment = command_environment({}, dict.fromkeys(names | {"POD_API_TOKEN"}, "x"), command)
    assert set(environment) == own


def test_every_command_that_has_settings_of_its_own_exists():
    assert {*SETTINGS_OF_COMMANDS, CALLING_COMMAND} <= {*COMMANDS, *ALIASES}


def test_running_environment_is_that_of_the_stack_that_runs(tmp_path):
    program = Program("adapter", ("adapter",), ADAPTER_ORDER, 1, {"PODJOBS_FUNCTION_SECRET": "made up"})
    assert running_environment(tmp_path, "adapter") == {}
    write_environments(tmp_path / "environments", [program])
    assert running_environment(tmp_path, "adapter") == {"PODJOBS_FUNCTION_SECRET": "made up"}


def test_launcher_becomes_the_program_with_its_environment_alone(tmp_path):
    environment = {"PATH": os.environ["PATH"], "NAME": 'l\'été "100%" $HOME ;\n', "ODD": os.fsdecode(b"\xff")}
    code = "import os, sys, json; print(json.dumps([os.getpid(), dict(os.environ), sys.argv[1:]]))"
    program = Program("p", (sys.executable, "-c", code, "a b", "-x"), ADAPTER_ORDER, 1, environment)
    write_environments(tmp_path / "environments", [program])
    command = [*LAUNCHER, str(environment_file(tmp_path / "environments", program)), *program.argv]
    with subprocess.Popen(command, env={"PODJOBS_SECRET": "no"}, stdout=subprocess.PIPE) as process:
        pid, found, arguments = json.loads(process.communicate()[0])
    assert (pid, arguments) == (process.pid, ["a b", "-x"])
    assert {name: found[name] for name in environment} == environment
    assert set(found) - set(environment) <= {"LC_CTYPE"}  # Python's own addition


def test_launcher_without_its_file_says_so(tmp_path):
    done = subprocess.run([*LAUNCHER, str(tmp_path / "gone.json"), "true"], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"'true' cannot be started: " in done.stderr


def test_write_environments_nobody_else_may_read_them_and_old_ones_are_gone(tmp_path):
    folder = tmp_path / "environments"
    folder.mkdir(mode=0o777)
    (folder / "old.json").write_text("{}")
    (folder / "p.json").write_text("{}")
    (folder / "p.json").chmod(0o666)
    write_environments(folder, [Program("p", ("true",), ADAPTER_ORDER, 1, {"A": "b"})])
    assert [path.name for path in folder.iterdir()] == ["p.json"]
    assert (folder.stat().st_mode & 0o777, (folder / "p.json").stat().st_mode & 0o777) == (0o700, 0o600)
    assert "b'" not in repr(Program("p", ("true",), ADAPTER_ORDER, 1, {"A": "b'"}))
