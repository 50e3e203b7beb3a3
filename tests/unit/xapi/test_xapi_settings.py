"""The xapi function's settings: all faults at once, no secret shown."""

import pytest

from podjobs.settings import SettingsError, load_settings
from podjobs.xapi.settings import XapiSettings

GOOD = {"XAPI_LRS_URL": "https://lrs.example.org/xAPI/statements", "XAPI_LRS_LOGIN": "pod", "XAPI_LRS_PWD": "s3cret"}


@pytest.fixture
def settings_of(monkeypatch):
    def load(**changes):
        for name, value in (GOOD | changes).items():
            monkeypatch.setenv(name, value)
        return load_settings(XapiSettings)

    return load


def test_settings_secrets_are_hidden(settings_of):
    settings = settings_of(XAPI_ANONYMIZE_ACTOR="true", PODJOBS_XAPI_ANONYMIZE_KEY="0123456789abcdef")
    assert settings.xapi_lrs_pwd.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)
    assert "0123456789abcdef" not in repr(settings)


@pytest.mark.parametrize("key", [{}, {"PODJOBS_XAPI_ANONYMIZE_KEY": "too short"}])
def test_settings_anonymising_needs_a_key(settings_of, key):
    with pytest.raises(SettingsError, match="XAPI_ANONYMIZE_ACTOR needs PODJOBS_XAPI_ANONYMIZE_KEY"):
        settings_of(XAPI_ANONYMIZE_ACTOR="true", **key)


@pytest.mark.parametrize("url", ["lrs.example.org/xAPI", "ftp://lrs/", "https://", "https://pod:s3cret@lrs/statements"])
def test_settings_address_must_be_one_without_a_login(settings_of, url):
    with pytest.raises(SettingsError) as caught:
        settings_of(XAPI_LRS_URL=url)
    assert "XAPI_LRS_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_settings_all_faults_are_named_at_once(settings_of, monkeypatch):
    wrong = {"XAPI_LRS_URL": "x", "PODJOBS_XAPI_VERSION": "one", "PODJOBS_LRS_TIMEOUT_S": "3600"}
    monkeypatch.setenv("XAPI_LRS_LOGIN", "")
    with pytest.raises(SettingsError) as caught:
        settings_of(**wrong, XAPI_LRS_LOGIN="")
    for name in (*wrong, "XAPI_LRS_LOGIN"):
        assert name in str(caught.value)
