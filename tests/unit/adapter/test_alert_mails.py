"""What the mails to administrators say."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapter import alerts
from adapter.alerts.mails import compose
from adapter.alerts.occurrences import Kind, Occurrence
from adapter.operation_settings.alerts import AlertSettings
from podjobs.settings import SettingsError, load_settings

TEXTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(alerts.__file__).parent / "texts").glob("*.json")
}


def test_texts_of_both_languages_are_the_same_with_the_same_places_for_values():
    assert TEXTS.keys() == {"en", "fr"}
    places = {
        language: {name: set(re.findall(r"%\((\w+)\)s", text)) for name, text in texts.items()}
        for language, texts in TEXTS.items()
    }
    assert places["en"] == places["fr"]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("count", [1, 30])
def test_every_kind_says_what_why_what_to_do_and_where(kind, language, count):
    values = {"target": "7", "type": "encoding", "kind": "backlog", "waited_s": "4000"}
    found = [Occurrence(kind, f"about-{number}", f"Why {number}.", 1_700_000_000, values) for number in range(count)]
    mail = compose(kind, found, language, "https://pod.example.org/podjobs")
    assert "%" not in mail.subject + mail.text
    assert "Why 0." in mail.text or count > 20
    assert f"Why {count - 1}." in mail.text
    assert TEXTS[language][f"{kind}.remedy"] in mail.text
    assert "https://pod.example.org/podjobs" in mail.text


@pytest.mark.parametrize(
    ("language", "waited_s", "count", "said"),
    [
        ("en", "60", 1, "Something has waited for 1 minute"),
        ("en", "3600", 1, "Something has waited for 60 minutes"),
        ("fr", "0", 1, "Quelque chose attend depuis 0 minute"),
        ("fr", "3600", 1, "Quelque chose attend depuis 60 minutes"),
        ("en", "60", 21, "… and 1 more."),
        ("fr", "60", 21, "… et 1 autre."),
        ("fr", "60", 22, "… et 2 autres."),
    ],
)
def test_numbers_in_mails_have_the_words_that_fit_them(language, waited_s, count, said):
    found = [Occurrence(Kind.BACKLOG, "encoding", "Why.", 1_700_000_000, {"waited_s": waited_s})] * count
    mail = compose(Kind.BACKLOG, found, language, None)
    assert said in {mail.subject, *mail.text.splitlines()}


@pytest.mark.parametrize(
    ("language", "target", "job_type", "subject"),
    [
        ("en", "7", "encoding", "The encoding of the video 7 has failed"),
        ("en", "recording-8", "studio", "The composition of the recording 8 has failed"),
        ("fr", "7", "encoding", "Échec : encodage de la vidéo 7"),
        ("fr", "recording-8", "studio", "Échec : montage de l’enregistrement 8"),
    ],
)
def test_failed_job_is_called_by_what_it_is_for(language, target, job_type, subject):
    failed = Occurrence(Kind.JOB_FAILED, "job-1", "Why.", 1_700_000_000, {"target": target, "type": job_type})
    assert compose(Kind.JOB_FAILED, [failed], language, None).subject == subject


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("anna@example.org", ("anna@example.org",)),
        ("anna@example.org, bert@example.org", ("anna@example.org", "bert@example.org")),
        ('[["Anna", "anna@example.org"]]', ("anna@example.org",)),
        ("(('Anna', 'anna@example.org'), ('Bert', 'bert@example.org'))", ("anna@example.org", "bert@example.org")),
        ((("Anna", "anna@example.org"),), ("anna@example.org",)),
        ("[]", ()),
    ],
)
def test_admins_are_read_in_all_forms(given, read):
    assert AlertSettings(admins=given).admins == read


@pytest.mark.parametrize("given", ["anna", "[[1]]", "[anna", "a@b\nBcc: c@d", "Anna <anna@example.org>", "a@[1", 7])
def test_admins_that_are_no_addresses_are_refused(given):
    with pytest.raises(ValidationError, match=r"must be|must contain"):
        AlertSettings(admins=given)


def test_encryption_is_of_one_kind():
    with pytest.raises(ValidationError, match="must not both be set"):
        AlertSettings(email_use_tls=True, email_use_ssl=True)


@pytest.mark.parametrize("given", ["", "Pod <", "pod@", "pod"])
def test_sender_that_is_no_address_is_refused_if_there_is_anybody_to_write_to(given):
    assert AlertSettings(default_from_email=given).admins == ()
    with pytest.raises(ValidationError, match="DEFAULT_FROM_EMAIL must be an address"):
        AlertSettings(admins="anna@example.org", default_from_email=given)


def test_login_that_cannot_be_sent_is_refused_and_not_shown(monkeypatch):
    for name, value in {
        "ADMINS": "a@example.org",
        "EMAIL_HOST_USER": "pod",
        "EMAIL_HOST_PASSWORD": "schlüssel",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="must consist of ASCII characters") as refused:
        load_settings(AlertSettings)
    assert "schl" not in str(refused.value)
