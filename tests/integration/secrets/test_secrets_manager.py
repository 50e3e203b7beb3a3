"""Settings from AWS Secrets Manager, over its protocol: what is read, and what is said if that is not possible."""

import json
import time

import pytest

from podjobs.notification.settings import NotificationSettings
from podjobs.secret_store import held
from podjobs.settings import SettingsError, load_settings
from support.secrets_manager import REGION, SecretsManager

ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:podjobs"
SETTINGS = {"POD_API_URL": "https://pod.example.org/rest", "POD_API_TOKEN": "s3cret-token", "MEDIA_ROOT": "/media"}
FUNCTION_SECRETS = ("first-of-secrets-1", "second-of-secrets")


@pytest.fixture
def manager():
    with SecretsManager() as manager:
        yield manager


@pytest.fixture(autouse=True)
def environment(manager, monkeypatch, tmp_path):
    held._HELD.clear()
    for name, value in manager.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))  # without anybody's ~/.aws
    monkeypatch.setenv("PODJOBS_SECRETS", "podjobs")
    for name in (*SETTINGS, "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def load():
    return load_settings(NotificationSettings)


def refusal():
    """The sentences with which settings are refused."""
    with pytest.raises(SettingsError) as refused:
        load()
    assert "s3cret" not in str(refused.value)
    first, *lines = str(refused.value).splitlines()
    assert first == "These settings are missing or wrong:"
    return [line.strip() for line in lines]


@pytest.mark.parametrize("written", ["podjobs", ARN])
def test_settings_are_read_from_a_secret_once(manager, monkeypatch, written):
    monkeypatch.setenv("PODJOBS_SECRETS", written)
    if written == ARN:
        monkeypatch.delenv("AWS_REGION")
    manager.put("podjobs", SETTINGS)
    assert load().pod_api_token.get_secret_value() == "s3cret-token"
    assert load().pod_api_url == SETTINGS["POD_API_URL"]
    assert manager.asked == [("podjobs", "AWSCURRENT")]


def test_settings_environment_comes_before_secrets_and_these_before_pods_file(manager, monkeypatch, tmp_path):
    file = tmp_path / "settings_local.py"
    file.write_text('POD_API_TOKEN = "of the file"\nPOD_API_URL = "https://file/rest"\nMEDIA_ROOT = "/file"\n')
    monkeypatch.setenv("PODJOBS_SETTINGS_FILE", str(file))
    monkeypatch.setenv("POD_API_URL", "https://environment/rest")
    manager.put("podjobs", {"POD_API_TOKEN": "of-the-secret", "POD_API_URL": "https://secret/rest"})
    settings = load()
    assert settings.pod_api_token.get_secret_value() == "of-the-secret"
    assert (settings.pod_api_url, settings.media_root) == ("https://environment/rest", "/file")


def test_settings_that_are_json_are_read_from_json_and_from_text(manager):
    renditions = [{"resolution": "1280x720", "maxrate": "3m", "audio_bitrate": "96k"}]
    for value in (renditions, json.dumps(renditions)):
        held._HELD.clear()
        manager.put("podjobs", SETTINGS | {"VIDEO_RENDITIONS": value, "PODJOBS_NOTIFICATION_SLOTS": "3"})
        settings = load()
        assert [one.height_px for one in settings.video_renditions] == [720]
        assert settings.podjobs_notification_slots == 3


def test_settings_all_faults_of_all_secrets_are_in_one_message(manager, monkeypatch):
    monkeypatch.setenv("PODJOBS_SECRETS", "podjobs,other,twice")
    manager.put("podjobs", SETTINGS | {"POD_API_URL": "ftp://s3cret", "POD_API_TOKKEN": "s3cret"})
    manager.put("other", b"s3cret")
    manager.put("twice", {"POD_API_TOKEN": "s3cret"})
    assert refusal() == [
        "The secret 'other' is binary. Store a JSON object of settings as its text.",
        "The secret 'podjobs' has the name POD_API_TOKKEN, which is no setting. Did you mean POD_API_TOKEN?",
        "POD_API_TOKEN is in more than one secret: the secret 'podjobs' and the secret 'twice'. Keep one of them.",
        "POD_API_URL: Value error, must be of the form https://host/rest",
    ]


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (400, "ResourceNotFoundException", "does not exist in this account and region, or has no current version."),
        (400, "AccessDeniedException", "may not be read. Allow the program's role secretsmanager:GetSecretValue"),
        (400, "DecryptionFailure", "cannot be decrypted. Allow the program's role kms:Decrypt for its key."),
        (400, "InvalidRequestException", "cannot be read in its state: is it marked for deletion? Restore it."),
        (400, "ThrottlingException", "cannot be read now: Secrets Manager is asked too often (throttled)."),
        (500, "InternalServiceError", "cannot be read now: Secrets Manager has an internal error."),
        (400, "ExpiredTokenException", "cannot be read: AWS does not accept the credentials (ExpiredTokenException)."),
        (418, "Strange", "cannot be read: Secrets Manager answered Strange (418)."),
    ],
)
def test_settings_what_aws_refuses_is_said_in_one_sentence(manager, status, kind, said):
    manager.put("podjobs", SETTINGS)
    manager.fault = (status, kind)
    (fault,) = refusal()
    assert fault.startswith(f"The secret 'podjobs' {said}")


def test_settings_secret_that_does_not_exist_is_named(manager):
    (fault,) = refusal()
    assert fault.startswith("The secret 'podjobs' does not exist")


def test_settings_wrong_credentials_are_named(manager, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OTHER")
    (fault,) = refusal()
    assert "AWS does not accept the credentials (UnrecognizedClientException)" in fault


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (["AWS_REGION"], "cannot be looked for: no region is set. Name it by its ARN, or set AWS_REGION."),
        (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "cannot be read: there are no AWS credentials."),
        (["AWS_SECRET_ACCESS_KEY"], "cannot be read: there are no AWS credentials."),
    ],
)
def test_settings_without_what_aws_needs_say_so(monkeypatch, missing, said):
    for name in missing:
        monkeypatch.delenv(name)
    (fault,) = refusal()
    assert fault.startswith(f"The secret 'podjobs' {said}")


def test_settings_unreachable_manager_is_named(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    (fault,) = refusal()
    assert fault.startswith("The secret 'podjobs' cannot be read: Secrets Manager cannot be reached")


def test_functions_secret_before_the_rotation_is_accepted_by_those_that_start_after_it(manager):
    for secret in FUNCTION_SECRETS:
        manager.put("podjobs", SETTINGS | {"PODJOBS_FUNCTION_SECRET": secret})
    load()
    assert held.held_secrets().accepted("PODJOBS_FUNCTION_SECRET") == FUNCTION_SECRETS[::-1]
    assert held.held_secrets().accepted("POD_API_TOKEN") == ("s3cret-token",)
    assert manager.asked == [("podjobs", "AWSCURRENT"), ("podjobs", "AWSPREVIOUS")]


def test_functions_secret_of_long_ago_is_not_asked_for(manager):
    for secret in FUNCTION_SECRETS:
        manager.put("podjobs", SETTINGS | {"PODJOBS_FUNCTION_SECRET": secret}, created_s=time.time() - 4000)
    load()
    assert held.held_secrets().accepted("PODJOBS_FUNCTION_SECRET") == FUNCTION_SECRETS[1:]
    assert manager.asked == [("podjobs", "AWSCURRENT")]


def test_secrets_that_cannot_be_read_again_go_on(manager):
    manager.put("podjobs", SETTINGS)
    load()
    manager.fault = (400, "AccessDeniedException")
    held.held_secrets().renew(0)
    assert load().pod_api_token.get_secret_value() == "s3cret-token"
    (state,) = held.held_secrets().states()
    assert "'podjobs'" in state.secret
    assert "may not be read" in state.fault
    assert "s3cret" not in repr(state) + repr(held.held_secrets())
