"""What a secret says."""

import json

import pytest

from podjobs.secret_store import SecretsError
from podjobs.secret_store.documents import read_document


def test_document_settings_are_read_and_empty_ones_left_out():
    text = json.dumps({"POD_API_TOKEN": "t", "PODJOBS_MEDIA_LINKS": ["/nfs"], "XAPI_LRS_PWD": "", "POD_API_URL": None})
    document = read_document(text, "secret 'x'")
    assert document.settings == {"POD_API_TOKEN": "t", "PODJOBS_MEDIA_LINKS": ["/nfs"]}
    assert document.faults == ()
    assert "/nfs" not in repr(document)


@pytest.mark.parametrize("text", ["s3cret", '"s3cret"', '["s3cret"]', "", "null", b"\xff\xfe s3cret", "[" * 100_000])
def test_document_that_is_no_object_is_refused_without_being_repeated(text):
    with pytest.raises(SecretsError, match=r"^The secret 'x' is not a JSON object of settings") as refused:
        read_document(text, "secret 'x'")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("POD_API_TOKKEN", "has the name POD_API_TOKKEN, which is no setting. Did you mean POD_API_TOKEN?"),
        ("xapi_lrs_pwd", "has the name xapi_lrs_pwd, which is no setting. Did you mean XAPI_LRS_PWD?"),
        ("engine", "has the name engine, which is no setting. Names are those of docs/settings.md"),
        ("s3cret value!", "has a name (not shown, as it may be a value), which is no setting."),
        (
            "s3cret0123456789abcdef0123456789abcdef01",
            "has a name (not shown, as it may be a value), which is no setting.",
        ),
        ("PODJOBS_SECRETS", "has the name PODJOBS_SECRETS, which is no setting. Did you mean PODJOBS_SECRETS_TTL_S?"),
    ],
)
def test_document_name_that_is_no_setting_is_a_fault(name, said):
    document = read_document(json.dumps({name: "v", "POD_API_TOKEN": "t"}), "secret 'x'")
    (fault,) = document.faults
    assert fault.startswith(f"The secret 'x' {said}")
    assert "s3cret" not in fault
    assert document.settings == {"POD_API_TOKEN": "t"}
