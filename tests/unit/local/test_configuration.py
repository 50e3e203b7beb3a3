"""The settings of the stack: from the environment and Pod's settings file, complete, checked, and shared out."""

import json
import os

import pytest

from local.configuration import configure
from local.ports import choose_ports
from local.programs import programs_of
from podjobs.settings import SettingsError

POD_FILE = """
SECRET_KEY = "foreign"
MEDIA_ROOT = "/pod/media"
POD_API_URL = "https://pod.example.org/rest"
POD_API_TOKEN = "of-the-file"
ENCODING_TRANSCODING_CELERY_BROKER_URL = "redis://redis/7"
FFMPEG_CRF = 20
FFMPEG_NB_THREADS = 0
FFMPEG_PRESET = None
XAPI_ANONYMIZE_ACTOR = False
XAPI_LRS_URL = "https://lrs.example.org/statements"
XAPI_LRS_LOGIN = "pod"
XAPI_LRS_PWD = "password"
VIDEO_RENDITIONS = [{"resolution": "640x360", "maxrate": "1000k", "audio_bitrate": "96k", "encode_mp4": True}]
TRANSCRIPTION_MODEL_PARAM = {}
"""


@pytest.fixture
def configured(tmp_path):
    """Configure a stack with Pod's settings file."""

    def make(text=POD_FILE, **given):
        file = tmp_path / "settings_local.py"
        file.write_text(text, encoding="utf-8", errors="surrogatepass")
        given = {"PATH": os.environ["PATH"], "MEDIA_URL": tmp_path.as_uri(), "PODJOBS_SETTINGS_FILE": str(file)} | given
        return configure(tmp_path / "state", given, choose_ports({}))

    return make


def environments_of(configuration):
    return {program.name: program.environment for program in programs_of(configuration)}


def obstacle_of(configuration):
    with configuration.open_media() as media:
        return media.find_obstacle()


def test_configure_pods_file_is_read_once_and_shared_out(configured):
    found = environments_of(configured())
    assert set(found) == {"encoding", "notification", "xapi", "adapter"}
    assert all("PODJOBS_SETTINGS_FILE" not in one and "foreign" not in one.values() for one in found.values())
    assert (found["notification"]["POD_API_TOKEN"], found["xapi"]["XAPI_LRS_PWD"]) == ("of-the-file", "password")
    assert found["adapter"]["ENCODING_TRANSCODING_CELERY_BROKER_URL"] == "redis://redis/7"
    encoding = found["encoding"]
    assert (encoding["FFMPEG_CRF"], encoding["FFMPEG_NB_THREADS"], encoding["MEDIA_ROOT"]) == ("20", "0", "/pod/media")
    assert "FFMPEG_PRESET" not in encoding
    assert json.loads(encoding["VIDEO_RENDITIONS"])[0]["resolution"] == "640x360"
    assert found["xapi"]["XAPI_ANONYMIZE_ACTOR"] == "false"


def test_configure_environment_takes_precedence_over_pods_file(configured):
    found = environments_of(configured(POD_API_URL="https://other.example.org/rest", FFMPEG_CRF="30"))
    assert found["notification"]["POD_API_URL"] == "https://other.example.org/rest"
    assert found["encoding"]["FFMPEG_CRF"] == "30"


def test_configure_secret_of_the_functions_is_made_up_and_shared(configured):
    first, second = (environments_of(configured()) for _ in range(2))
    secrets = {one["PODJOBS_FUNCTION_SECRET"] for one in first.values()}
    assert len(secrets) == 1
    assert not secrets & {one["PODJOBS_FUNCTION_SECRET"] for one in second.values()}
    given = {"PODJOBS_FUNCTION_SECRET": "given-given-given-given"}
    assert all(given.items() <= one.items() for one in environments_of(configured(**given)).values())


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_configure_value_that_no_environment_can_hold_is_named_with_all_other_faults(configured, value):
    with pytest.raises(SettingsError) as caught:
        configured(POD_FILE + f"XAPI_LRS_PWD = {value!r}\nPODJOBS_SWEEP_S = 'none'\n")
    assert "XAPI_LRS_PWD: contains a character that is not text" in str(caught.value)
    assert "PODJOBS_SWEEP_S: " in str(caught.value)


def test_configure_leaves_the_environment_of_this_process_alone(configured):
    before = dict(os.environ)
    configured()
    with pytest.raises(SettingsError):
        configured(FFMPEG_CRF="99")
    assert dict(os.environ) == before


@pytest.mark.parametrize("place", ["file", "environment"])
def test_configure_links_that_the_settings_allow_are_followed_at_the_start_and_by_all_functions(
    configured, tmp_path, place
):
    (tmp_path / "elsewhere").mkdir()
    media = tmp_path / "media"
    media.mkdir()
    (media / "videos").symlink_to(tmp_path / "elsewhere")
    assert "PODJOBS_MEDIA_LINKS='[" in obstacle_of(configured(MEDIA_URL=media.as_uri()))
    links = [str(tmp_path / "elsewhere")]
    in_file, given = f"PODJOBS_MEDIA_LINKS = {links}\n", {"PODJOBS_MEDIA_LINKS": json.dumps(links)}
    found = (
        configured(POD_FILE + in_file, MEDIA_URL=media.as_uri())
        if place == "file"
        else configured(MEDIA_URL=media.as_uri(), **given)
    )
    assert obstacle_of(found) == ""
    for function in ("encoding", "notification"):
        assert json.loads(environments_of(found)[function]["PODJOBS_MEDIA_LINKS"]) == links


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy"])
def test_configure_parts_on_this_machine_are_reached_without_a_proxy(configured, name):
    notification = environments_of(configured(**{name: "http://proxy/", "no_proxy": "intranet"}))["notification"]
    assert notification[name] == "http://proxy/"
    assert (notification["NO_PROXY"], notification["no_proxy"]) == ("127.0.0.1", "intranet,127.0.0.1")
    assert "NO_PROXY" not in environments_of(configured())["notification"]


def test_configure_media_on_an_object_storage_are_no_folder_here(configured):
    configuration = configured(MEDIA_URL="s3://media/pod")
    assert (configuration.media_dir, configuration.makes_media_dir) == (None, False)


def test_configuration_shows_no_secret(configured):
    assert "password" not in repr(configured())


def test_settings_in_secrets_are_left_to_the_programs_and_come_before_pods_file(configured, tmp_path):
    secrets = {
        "ENCODING_TRANSCODING_CELERY_BROKER_URL": "redis://:s3cret-of-redis@127.0.0.1:6379/7",
        "POD_API_URL": "https://secret.example.org/rest",
        "POD_API_TOKEN": "s3cret-of-pod",
        "PODJOBS_FUNCTION_SECRET": "s3cret-of-the-functions",
        "XAPI_LRS_URL": "https://lrs.example.org/",
        "XAPI_LRS_LOGIN": "pod",
        "XAPI_LRS_PWD": "s3cret-of-the-lrs",
    }
    (tmp_path / "secret.json").write_text(json.dumps(secrets))
    file = 'MEDIA_ROOT = "/media"\nPOD_API_TOKEN = "s3cret-of-long-ago"\n'
    configuration = configured(file, PODJOBS_SECRETS=f"file://{tmp_path}/secret.json")

    assert not configuration.own_redis
    assert not configuration.own_pod
    assert "xapi" in {function.name for function in configuration.functions}
    assert configuration.broker_url == secrets["ENCODING_TRANSCODING_CELERY_BROKER_URL"]
    programs = programs_of(configuration)
    assert programs
    assert "s3cret" not in str([program.environment for program in programs])


def test_settings_in_secrets_that_cannot_be_read_are_told_with_all_other_faults(configured, tmp_path):
    with pytest.raises(SettingsError) as refused:
        configured('MEDIA_ROOT = "media"\n', PODJOBS_SECRETS=f"file://{tmp_path}/none.json")
    message = str(refused.value)
    assert message.count(f"The secret file '{tmp_path}/none.json' does not exist.") == 1
    assert "MEDIA_ROOT: " in message
