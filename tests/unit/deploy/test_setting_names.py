"""Every way of deployment names settings that exist, gives them to the programs that have them, and lacks none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.operation_settings.alerts import AlertSettings
from adapter.operation_settings.page import PageSettings
from adapter.operation_settings.prices import PriceSettings
from adapter.operation_settings.remote_control import RemoteControlSettings
from adapter.operation_settings.telemetry import TelemetrySettings
from adapter.settings import adapter_settings
from local.environments import all_settings, names_of
from local.functions import SETTINGS
from podjobs.entry.rq.settings import WorkerSettings
from podjobs.secret_store.references import VARIABLE
from podjobs.settings import SETTINGS_FILE_VARIABLE, LogSettings
from support.aws_templates import MAIN
from support.cloudformation import Template
from support.processes import REPOSITORY

KINDS = {**SETTINGS, "adapter": adapter_settings()}
"""Program → its settings class."""
OF_LIBRARIES = re.compile(r"AWS_\w+|HTTPS?_PROXY|NO_PROXY|HF_\w+|OTEL_\w+|PORT|THREADS")
"""What boto3, httpx, Hugging Face's library, OpenTelemetry's and the start of an image read."""
OF_THE_STACK = {"PODJOBS_DELIVERY", "PODJOBS_USER", "PODJOBS_WORKERS", SETTINGS_FILE_VARIABLE}
"""What `scripts/up` and `podjobs`, compose's files and the units read themselves."""
NAME = re.compile(r"^#?([A-Z][A-Z0-9_]{2,})=", re.MULTILINE)
RQ = names_of(WorkerSettings)


def required(program: str) -> set[str]:
    """The settings without which a program does not start."""
    return {name.upper() for name, field in KINDS[program].model_fields.items() if field.is_required()}


def known(program: str) -> frozenset[str]:
    """The settings that a program reads."""
    return names_of(KINDS[program]) | {VARIABLE}


@dataclass(frozen=True)
class Way:
    """One way of deployment: what each program is given."""

    name: str
    given: dict[str, set[str]]
    """Program → names."""
    more: frozenset[str] = field(default=frozenset())
    """Settings of others that every program may get with it."""
    asks_for: frozenset[str] = frozenset()
    """What the operator has to add, as its page says."""


def compose(*files: str) -> Way:
    services: dict[str, set[str]] = {}
    for file in files:
        for name, service in yaml.safe_load((REPOSITORY / file).read_text())["services"].items():
            services.setdefault(name, set()).update(service.get("environment") or ())
    return Way(" and ".join(files), {name: services[name] for name in KINDS}, RQ if len(files) > 1 else frozenset())


def env_names(path: Path) -> set[str]:
    """The names in a file of `NAME=value` lines; those that are commented out count."""
    return set(NAME.findall(path.read_text()))


def of_secrets() -> dict[str, set[str]]:
    """Of the example of Kubernetes: secret → names."""
    documents = yaml.safe_load_all((REPOSITORY / "knative/secrets.example.yaml").read_text())
    return {found["metadata"]["name"]: set(found["stringData"]) for found in documents}


def kubernetes() -> Way:
    settings = REPOSITORY / "knative/base/settings"
    given = {name: env_names(settings / f"{name}.env") for name in KINDS}
    secrets = of_secrets()
    media = env_names(REPOSITORY / "knative/components/s3/media.env") | secrets["podjobs-s3"]
    for program in KINDS:
        common = env_names(settings / "common.env") if program != "xapi" else set()
        of_media = media if program in {"encoding", "transcription", "notification"} else set()
        given[program] |= common | of_media | secrets["podjobs-function-secret"]
    given["adapter"] |= secrets["podjobs-redis"] | secrets["podjobs-adapter"]
    given["notification"] |= secrets["podjobs-pod"]
    given["xapi"] |= secrets["podjobs-lrs"]
    return Way("knative", given)


def aws() -> Way:
    common = MAIN.section("Globals")["Function"]["Environment"]["Variables"]
    resources = MAIN.section("Resources")
    given = {
        name: {*common, *resources[f"{name.capitalize()}Function"]["Properties"]["Environment"]["Variables"]}
        for name in SETTINGS
    }
    adapter = Template.read(REPOSITORY / "deploy/aws/adapter.yaml").section("Resources")["Task"]["Properties"]
    given["adapter"] = {entry["Name"] for entry in named(adapter["ContainerDefinitions"])}
    for secret, program in {"PodSecret": "notification", "LrsSecret": "xapi"}.items():
        given[program] |= set(re.findall(r'"([A-Z_]+)":', str(resources[secret]["Properties"])))
    redis = (REPOSITORY / "deploy/aws/redis.yaml").read_text()
    given["adapter"] |= set(re.findall(r"[A-Z_]+_URL", redis))
    return Way("template.yaml", given)


def named(value: Any) -> Iterator[dict[str, Any]]:
    """The entries with a name and a value, wherever they are in a template."""
    if isinstance(value, dict):
        if "Name" in value and "Value" in value:
            yield value
        for part in value.values():
            yield from named(part)
    elif isinstance(value, list):
        for part in value:
            yield from named(part)


def units() -> Way:
    names = env_names(REPOSITORY / "deploy/systemd/podjobs.env")
    everything = frozenset(all_settings() | OF_THE_STACK)
    # function URLs are made by `podjobs run` from PODJOBS_DELIVERY
    made = {name for name in required("adapter") if name.startswith("PODJOBS_FUNCTION_URL_")}
    return Way("deploy/systemd", dict.fromkeys(KINDS, names | made), everything)


WAYS = (compose("compose.yaml"), compose("compose.yaml", "compose.rq.yaml"), kubernetes(), aws(), units())
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))]
EACH = [pytest.param(way, program, id=f"{way.name}: {program}") for way in WAYS for program in KINDS]


@pytest.mark.parametrize(("way", "program"), EACH)
def test_program_is_given_settings_that_it_has(way, program):
    strange = way.given[program] - known(program) - way.more
    assert {name for name in strange if not OF_LIBRARIES.fullmatch(name)} == set()


OPERATING = names_of(AlertSettings) | names_of(PageSettings) | names_of(PriceSettings) | names_of(TelemetrySettings)
OPERATING |= names_of(RemoteControlSettings) | {"PODJOBS_JOB_TTL_S", "PODJOBS_HISTORY_TTL_S", "PODJOBS_DEAD_TTL_S"}
OPERATING -= names_of(LogSettings)
"""What administrators set to operate what is deployed: mails, the page, prices, monitoring, how long what is kept."""
LEFT_OUT = {
    ("template.yaml", "EMAIL_HOST_PASSWORD"): "a secret: it may stand in that of the broker",
    ("template.yaml", "EMAIL_TIMEOUT"): "nobody needs another one; it may stand in the secret of the broker",
    ("template.yaml", "EMAIL_SUBJECT_PREFIX"): "likewise",
    ("template.yaml", "PODJOBS_METRICS"): "nobody connects to the adapter on Fargate; CloudWatch has its numbers",
    ("template.yaml", "PODJOBS_PAGE_TOKEN"): "likewise: its page is reached by nobody",
    ("template.yaml", "PODJOBS_PAGE_URL"): "likewise",
    ("template.yaml", "POD_API_URL"): "the adapter needs it for the page only",
    ("template.yaml", "POD_MEDIA_URL"): "likewise",
}
"""Way and setting → why it is not there."""


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_adapter_can_be_given_all_that_administrators_set_to_operate_it(way):
    left_out = {name for name in OPERATING if (way.name, name) in LEFT_OUT}
    assert OPERATING - way.given["adapter"] - way.more == left_out


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_language_of_what_people_are_told_reaches_every_program_that_tells_it(way):
    speaking = {program for program in KINDS if "LANGUAGE_CODE" in known(program)}
    assert speaking == {"adapter", "encoding", "notification"}
    assert {program for program in speaking if "LANGUAGE_CODE" not in way.given[program] | way.more} == set()


@pytest.mark.parametrize(("way", "program"), EACH)
def test_program_is_given_all_that_it_must_have(way, program):
    assert required(program) - way.given[program] == set()


def test_rows_are_read_at_all():
    # that the tests above can fail
    assert all(len(way.given[program]) >= 3 for way in WAYS for program in KINDS)
    assert {name for way in WAYS for name in way.given["encoding"]} >= {"MEDIA_ROOT", "PODJOBS_ENCODING_SLOTS"}


@pytest.mark.parametrize("page", PAGES)
def test_settings_that_a_page_names_exist(page):
    text = (REPOSITORY / page).read_text()
    names = set(re.findall(r"\bPODJOBS_[A-Z0-9_]*[A-Z0-9]\b", text))
    assert names - all_settings() - OF_THE_STACK - {VARIABLE} == set()


def test_settings_of_dockerfiles_exist():
    for path in [*REPOSITORY.glob("functions/*/Dockerfile"), REPOSITORY / "adapter/Dockerfile"]:
        names = set(re.findall(r"\bPODJOBS_[A-Z0-9_]+", path.read_text()))
        assert names <= all_settings(), path
