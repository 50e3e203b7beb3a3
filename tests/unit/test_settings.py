"""Settings: Pod's names, the environment before Pod's file, all faults at once, no secret in a message."""

import pytest

from adapter.operation_settings.page import PageSettings
from podjobs.backends.storage import STORAGES, open_storage
from podjobs.contract.media_urls import MEDIA_URL_FORMS
from podjobs.encoding.settings import EncodingSettings
from podjobs.notification.settings import NotificationSettings
from podjobs.settings import MediaSettings, SettingsError, load_settings, read_assignments

POD_FILE = '''
"""A real settings_local.py computes some of its values."""
import os
SECRET_KEY = os.environ["NOT_THERE"]
MEDIA_ROOT = "/usr/local/pod/media"
FFMPEG_CRF = 23
FFMPEG_PRESET: str = "medium"
VIDEO_RENDITIONS = [{"resolution": "640x360", "minrate": "500k", "maxrate": "1000k", "audio_bitrate": "96k",
                     "encoding_resolution_threshold": 0, "encode_mp4": True, "sites": [1]}]
FFMPEG_LEVEL = 3
os.system("touch executed")
'''


@pytest.fixture
def pod_file(tmp_path, monkeypatch):
    file = tmp_path / "settings_local.py"
    file.write_text(POD_FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PODJOBS_SETTINGS_FILE", str(file))
    return file


def test_load_settings_pods_file_is_read_but_never_run(pod_file):
    settings = load_settings(EncodingSettings)
    assert (settings.media_root, settings.ffmpeg_crf, settings.ffmpeg_preset) == ("/usr/local/pod/media", 23, "medium")
    assert settings.ffmpeg_level == "3"
    assert [rendition.maxrate for rendition in settings.video_renditions] == [1_000_000]
    assert not (pod_file.parent / "executed").exists()


def test_load_settings_environment_wins(pod_file, monkeypatch):
    monkeypatch.setenv("FFMPEG_CRF", "18.5")
    monkeypatch.setenv(
        "VIDEO_RENDITIONS",
        '[{"resolution": "1280x720", "maxrate": "2.5m", "audio_bitrate": 96000}]'.replace("2.5m", "3m"),
    )
    settings = load_settings(EncodingSettings)
    assert settings.ffmpeg_crf == 18.5
    assert [(rendition.height_px, rendition.maxrate) for rendition in settings.video_renditions] == [(720, 3_000_000)]


def test_load_settings_names_every_fault_at_once(monkeypatch):
    for name, value in {
        "MEDIA_ROOT": "media", "MEDIA_URL": "ftp://x/y", "FFMPEG_CRF": "99", "FFMPEG_PRESET": "quick",
        "VIDEO_RENDITIONS": "[{", "FFMPEG_NB_THUMBNAIL": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings(EncodingSettings)
    message = str(refused.value)
    for name in ("MEDIA_ROOT", "MEDIA_URL", "FFMPEG_CRF", "FFMPEG_PRESET", "VIDEO_RENDITIONS", "FFMPEG_NB_THUMBNAIL"):
        assert f"  {name}: " in message


@pytest.mark.parametrize("media_url", ["file:///srv/media", "file://localhost/srv/media", "FILE:/srv/media"])
def test_load_settings_media_url_of_a_known_scheme_is_taken(monkeypatch, media_url):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("MEDIA_URL", media_url)
    assert load_settings(MediaSettings).media_location == media_url


@pytest.mark.parametrize(
    "media_url", ["/srv/media", "file:srv/media", "file://nas/srv/media", "gopher://x/y", "file://[x"]
)
def test_load_settings_other_media_url_is_refused_when_the_process_starts(monkeypatch, media_url):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("MEDIA_URL", media_url)
    with pytest.raises(SettingsError, match="  MEDIA_URL: "):
        load_settings(MediaSettings)


def test_media_url_forms_every_scheme_that_is_accepted_can_be_opened():
    assert MEDIA_URL_FORMS.keys() == STORAGES.keys()


@pytest.mark.parametrize("name", ["media", "médias #1 50% ?", "a+b"])
def test_open_storage_media_root_itself_is_the_default_whatever_its_name(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "talk.mp4").touch()
    assert open_storage(MediaSettings(media_root=str(tmp_path / name), media_url="")).exists("talk.mp4")


def test_open_storage_escapes_in_the_url_are_resolved(tmp_path):
    (tmp_path / "the media").mkdir()
    (tmp_path / "the media" / "talk.mp4").touch()
    assert open_storage(MediaSettings(media_root="/pod", media_url=(tmp_path / "the media").as_uri())).exists(
        "talk.mp4"
    )


@pytest.mark.parametrize(
    "renditions",
    ["[]", '[{"resolution": "big", "maxrate": "1k", "audio_bitrate": "1k"}]', '[{"resolution": "640x360"}]', "{}", "7"],
)
def test_load_settings_bad_ladder_is_refused_by_name(monkeypatch, renditions):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("VIDEO_RENDITIONS", renditions)
    with pytest.raises(SettingsError, match="VIDEO_RENDITIONS"):
        load_settings(EncodingSettings)


def test_load_settings_secret_never_appears(monkeypatch):
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("POD_API_TOKEN", "s3cr3t-é")
    monkeypatch.setenv("POD_API_URL", "not-a-url")
    with pytest.raises(SettingsError) as refused:
        load_settings(NotificationSettings)
    assert "POD_API_TOKEN" in str(refused.value)
    assert "s3cr3t" not in str(refused.value)
    monkeypatch.setenv("POD_API_TOKEN", "s3cr3t")
    monkeypatch.setenv("POD_API_URL", "https://pod.example.org/rest")
    assert "s3cr3t" not in repr(load_settings(NotificationSettings))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not-a-url", "of the form https://host/rest"),
        ("https:///rest", "of the form https://host/rest"),
        ("https://admin:s3cr3t@pod.example.org/rest", "must not contain a login: use POD_API_TOKEN"),
        ("https://s3cr3t@pod.example.org/rest", "must not contain a login: use POD_API_TOKEN"),
        ("https://pod.example.org/rest?token=s3cr3t", "must end with the path"),
    ],
)
def test_load_settings_address_of_pod_that_is_none_is_refused(monkeypatch, url, said):
    for name, value in {"MEDIA_ROOT": "/media", "POD_API_TOKEN": "t", "POD_API_URL": url}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said) as refused:
        load_settings(NotificationSettings)
    assert "s3cr3t" not in str(refused.value)


def test_load_settings_site_without_a_pod_over_rest_says_none(monkeypatch):
    """All its jobs come through the runner API; a setting that is missing is an error all the same."""
    for name, value in {"MEDIA_ROOT": "/media", "POD_API_TOKEN": "none", "POD_API_URL": "none"}.items():
        monkeypatch.setenv(name, value)
    assert not load_settings(NotificationSettings).has_pod
    assert load_settings(PageSettings).pod_api_url is None
    monkeypatch.delenv("POD_API_URL")
    with pytest.raises(SettingsError, match="POD_API_URL"):
        load_settings(NotificationSettings)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("pod.example.org/media", "of the form https://host/media"),
        ("https://pod.example.org/media?token=s3cr3t", "of the form https://host/media"),
        ("https://admin:s3cr3t@pod.example.org/media", "must not contain a login"),
    ],
)
def test_load_settings_address_of_pods_media_that_is_none_is_refused(monkeypatch, url, said):
    values = {"MEDIA_ROOT": "/media", "POD_API_TOKEN": "t", "POD_API_URL": "https://pod/rest", "POD_MEDIA_URL": url}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"POD_MEDIA_URL.*{said}") as refused:
        load_settings(NotificationSettings)
    assert "s3cr3t" not in str(refused.value)


def test_load_settings_ladder_of_the_notification_is_that_of_the_encoding(monkeypatch):
    for name, value in {"MEDIA_ROOT": "/media", "POD_API_TOKEN": "t", "POD_API_URL": "https://pod/rest"}.items():
        monkeypatch.setenv(name, value)
    rendition = '{"resolution": "640x360", "maxrate": "1k", "audio_bitrate": "1k"}'
    monkeypatch.setenv("VIDEO_RENDITIONS", f"[{rendition}, {rendition}]")
    for kind in (EncodingSettings, NotificationSettings):
        with pytest.raises(SettingsError, match=r"VIDEO_RENDITIONS: .* names one height twice"):
            load_settings(kind)


@pytest.mark.parametrize("content", ["def broken(:\n", "A = '\0'\n"])
def test_read_assignments_file_that_is_not_python_is_refused(tmp_path, content):
    file = tmp_path / "settings_local.py"
    file.write_text(content)
    with pytest.raises(SettingsError, match="not valid Python"):
        read_assignments(file)


def test_read_assignments_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_assignments(tmp_path / "missing.py")


def test_load_settings_secrets_are_named_in_the_environment_alone(pod_file):
    pod_file.write_text(POD_FILE + '\nPODJOBS_SECRETS = "podjobs"\n')
    with pytest.raises(SettingsError, match="  PODJOBS_SECRETS: must be set in the environment"):
        load_settings(EncodingSettings)
