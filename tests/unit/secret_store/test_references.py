"""Which secrets PODJOBS_SECRETS names."""

from pathlib import Path

import pytest

from podjobs.secret_store import SecretsError
from podjobs.secret_store.references import AwsSecret, FileSecret, names_aws, read_references

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:podjobs/functions-AbCdEf"


def test_references_names_arns_and_files_are_told_apart_and_each_is_read_once():
    written = f"podjobs/redis, {ARN} ,file:///run/secrets/pod%20jobs.json,podjobs/redis,"
    assert read_references(written) == (
        AwsSecret("podjobs/redis", None),
        AwsSecret(ARN, "eu-west-3"),
        FileSecret(Path("/run/secrets/pod jobs.json")),
    )
    assert names_aws(written)
    assert not names_aws("file:///a,file:///b")
    assert not names_aws("")


@pytest.mark.parametrize(
    "written",
    [
        '{"POD_API_TOKEN": "s3cret"}',
        "a name",
        f"{ARN}:POD_API_TOKEN::",
        "arn:aws:ssm:eu-west-3:123456789012:parameter/s3cret",
        "https://s3cret",
        "file://host/s3cret",
        "file:s3cret",
    ],
)
def test_references_what_is_none_is_refused_without_being_repeated(written):
    with pytest.raises(SecretsError, match=r"^PODJOBS_SECRETS: must list names or ARNs") as refused:
        read_references(f"podjobs/redis,{written}")
    assert "s3cret" not in str(refused.value)
    assert "entry 2" in str(refused.value)


def test_references_list_without_any_is_refused():
    with pytest.raises(SecretsError, match=r"^PODJOBS_SECRETS: must list names or ARNs"):
        read_references(" , ")
