"""What the templates for AWS give a program are settings with which it starts."""

import json
import os
import re
import tomllib

import pytest

from local.functions import SETTINGS
from podjobs.settings import load_settings
from support.aws_templates import MAIN
from support.processes import OPERATOR_SETTINGS, REPOSITORY

SECRET_ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:x"  # noqa: S105 - not a secret but the name of one


def chosen(storage):
    """The parameters of samconfig.toml to try with, and all functions."""
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = config["default"]["deploy"]["parameters"]["parameter_overrides"]
    given = dict(one.split("=", 1) for one in overrides)
    more = {"Storage": storage, "Transcription": "yes", "Xapi": "yes", "XapiLrsUrl": "https://lrs.example.org/xAPI"}
    return MAIN.defaults() | given | more


def text(value, parameters):
    """What a value becomes, with stand-ins for what AWS makes up."""
    match value:
        case str():
            return value
        case {"Ref": name} if name in parameters:
            return parameters[name]
        case {"Ref": _}:
            return SECRET_ARN
        case {"Fn::Sub": str(template)}:
            return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: parameters.get(found[1], "pod-media"), template)
    raise AssertionError(value)


@pytest.mark.parametrize("storage", ["efs", "s3files", "s3"])
@pytest.mark.parametrize("function", SETTINGS)
def test_function_starts_with_what_the_template_gives_it(function, storage, monkeypatch, tmp_path):
    parameters = chosen(storage)
    resources = MAIN.rendered("Resources", parameters)
    common = MAIN.section("Globals")["Function"]["Environment"]["Variables"]
    own = resources[f"{function.capitalize()}Function"]["Properties"]["Environment"]["Variables"]
    given = {name: text(value, parameters) for name, value in (common | own).items()}
    if given.get("PODJOBS_SECRETS"):
        assert given["PODJOBS_SECRETS"] == SECRET_ARN
        secret = resources[{"notification": "PodSecret", "xapi": "LrsSecret"}[function]]["Properties"]["SecretString"]
        assert json.loads(secret)
        path = tmp_path / "secret.json"
        path.write_text(secret)
        given["PODJOBS_SECRETS"] = path.as_uri()
    for name in [name for name in os.environ if name.startswith(OPERATOR_SETTINGS)]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(SETTINGS[function])
    if function != "xapi":
        assert settings.media_location.startswith("s3://pod-media/media" if storage == "s3" else "file:///mnt/media")
