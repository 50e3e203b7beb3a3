"""What the templates for AWS promise: time-outs, permissions, capacity, and numbers that are really logged."""

import itertools
import json
import re
from fnmatch import fnmatchcase

import pytest

from adapter.process import LEAVE_LIMIT_S
from adapter.settings import AdapterSettings
from podjobs.contract.media_urls import split_media_url
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.statements import BATCH_TIMEOUT_S
from podjobs.contract.workflows import LOCATE_STEP, NOTIFICATION, WORKFLOWS, XAPI, all_functions
from support.aws_templates import ALL, MAIN, PARTS
from support.processes import REPOSITORY

LAMBDA_LIMIT_S = 900
"""Source: AWS Lambda Developer Guide, «Lambda quotas»."""
FARGATE_STOP_LIMIT_S = 120
"""Source: Amazon ECS Developer Guide, «Task definition parameters», stopTimeout."""
FUNCTIONS = {
    name.removesuffix("Function").lower(): resource["Properties"]
    for name, resource in MAIN.section("Resources").items()
    if resource["Type"] == "AWS::Serverless::Function"
}
MARGIN_S = AdapterSettings.model_fields["podjobs_timeout_margin_s"].default
STORAGES = ("efs", "s3files", "s3")


def longest_step_s(function):
    """The longest time limit of a function's steps, as far as it does not depend on the video."""
    if function == XAPI.name:
        return BATCH_TIMEOUT_S
    stages = [
        stage
        for workflow in WORKFLOWS.values()
        for stage in (
            workflow.first_stage, workflow.notification_stage, *workflow.failure_stages,
            *workflow.withdraw_stages, *workflow.discard_stages,
        )
    ]  # fmt: skip
    limits = [step.timeout_s for stage in stages for step in stage.steps if step.function == function]
    # the others are in plans, whose steps have at least the default
    return max(LOCATE_STEP.timeout_s if function == NOTIFICATION.name else DEFAULT_TIMEOUT_S, *limits)


def statements(value):
    """All statements of policies in a template."""
    if isinstance(value, list):
        for one in value:
            yield from statements(one)
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "Statement":
                yield from one
            else:
                yield from statements(one)


def listed(value):
    return value if isinstance(value, list) else [value]


def media_policy(storage):
    """What the functions may do with the media of a new storage, as a mapping of the actions to the resources."""
    storage_template = PARTS["storage"]
    chosen = dict.fromkeys(storage_template.section("Parameters"), "") | {"Storage": storage}
    policy = storage_template.rendered("Resources", chosen)["MediaPolicy"]
    return {action: one["Resource"] for one in statements(policy) for action in one["Action"]}


def test_every_function_is_deployed():
    assert FUNCTIONS.keys() == {function.name for function in all_functions()}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_has_more_time_than_its_longest_step_as_far_as_lambda_grants_it(function):
    wanted_s = longest_step_s(function) + MARGIN_S
    assert min(wanted_s, LAMBDA_LIMIT_S) <= FUNCTIONS[function]["Timeout"] <= LAMBDA_LIMIT_S


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_runs_one_step_in_an_instance(function):
    assert FUNCTIONS[function]["Environment"]["Variables"][f"PODJOBS_{function.upper()}_SLOTS"] == "1"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_built_from_its_dockerfile_and_started_for_lambda(function):
    resource = MAIN.section("Resources")[f"{function.capitalize()}Function"]
    assert (REPOSITORY / resource["Metadata"]["DockerContext"] / resource["Metadata"]["Dockerfile"]).is_file()
    assert (resource["Properties"]["PackageType"], resource["Properties"]["ImageConfig"]) == (
        "Image",
        {"Command": ["lambda"]},
    )


@pytest.mark.parametrize("template", ALL.values(), ids=ALL)
def test_policy_allows_no_action_of_a_service_and_nothing_on_everything(template):
    for one in statements(template.section("Resources")):
        if one.get("Effect") != "Allow":
            continue
        for action in listed(one["Action"]):
            assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z]+\*?", action), one
        assert "*" not in listed(one.get("Resource", "")), one


def test_only_who_needs_the_media_reaches_them():
    """And only the functions that talk to Pod or the LRS have a secret."""
    with_media = {name for name, properties in FUNCTIONS.items() if "MediaPolicyArn" in str(properties["Policies"])}
    mounted = {name for name, properties in FUNCTIONS.items() if "FileSystemConfigs" in properties}
    with_secret = {name for name, properties in FUNCTIONS.items() if "secretsmanager" in str(properties["Policies"])}
    told = {name for name, one in FUNCTIONS.items() if "PODJOBS_SECRETS" in one["Environment"]["Variables"]}
    assert with_media == mounted == {"encoding", "transcription", "notification"}
    assert with_secret == told == {"notification", "xapi"}


def test_media_in_a_bucket_may_be_used_as_the_documentation_says():
    page = (REPOSITORY / "docs/object-storage.md").read_text(encoding="utf-8")
    (documented,) = re.findall(r"```json\n(\{\"Version\".*?)```", page, re.DOTALL)
    wanted = {action for one in json.loads(documented)["Statement"] for action in one["Action"]}
    assert media_policy("s3").keys() == wanted


@pytest.mark.parametrize("storage", STORAGES)
def test_media_are_reached_below_their_prefix_only(storage):
    on_objects = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:GetObjectVersion"}
    for action, resource in media_policy(storage).items():
        if action in on_objects:
            assert "/${MediaPrefix}/*" in str(resource)
        assert (action in on_objects) or fnmatchcase(action, "s3:List*") or fnmatchcase(action, "*:Client*")
    assert storage == "s3" or any(action.endswith(":ClientMount") for action in media_policy(storage))


@pytest.mark.parametrize("storage", STORAGES)
def test_media_url_is_one_that_functions_accept(storage):
    chosen = MAIN.defaults() | {"Storage": storage, "Transcription": "yes"}
    resources = MAIN.rendered("Resources", chosen)
    for function in ("EncodingFunction", "TranscriptionFunction", "NotificationFunction"):
        variables = resources[function]["Properties"]["Environment"]["Variables"]
        url = variables["MEDIA_URL"]
        text = url if isinstance(url, str) else re.sub(r"\$\{[^}]+\}", "pod-media", url["Fn::Sub"])
        assert text.startswith("s3://pod-media/" if storage == "s3" else "file:///mnt/media")
        assert split_media_url(text)


def test_adapter_invokes_the_functions_and_reads_its_secrets_and_nothing_else():
    role = PARTS["adapter"].section("Resources")["TaskRole"]["Properties"]["Policies"]
    allowed = {action for one in statements(role) for action in listed(one["Action"])}
    assert allowed == {"lambda:InvokeFunction", "lambda:GetFunctionConfiguration", "secretsmanager:GetSecretValue"}


def test_adapters_together_have_in_flight_what_a_function_may_run_at_once():
    at_once, in_flight = MAIN.section("Mappings")["AtOnce"], PARTS["adapter"].section("Mappings")["InFlight"]
    tasks = PARTS["adapter"].section("Resources")["Service"]["Properties"]["DesiredCount"]
    assert at_once == {
        scale: {name: tasks * int(number) for name, number in each.items()} for scale, each in in_flight.items()
    }


def test_adapter_is_given_time_to_let_steps_end_and_to_give_back_the_rest():
    (container,) = PARTS["adapter"].section("Resources")["Task"]["Properties"]["ContainerDefinitions"]
    values = {one.get("Name"): one.get("Value") for one in container["Environment"]}
    grace_s = float(values["PODJOBS_GRACE_S"])
    # once for the steps, once for the doors, once for the claims
    assert grace_s + 3 * LEAVE_LIMIT_S < container["StopTimeout"] <= FARGATE_STOP_LIMIT_S


def test_adapter_leaves_room_in_redis_and_bounds_dead_letters_after_statements():
    """A node of the default size has 1.37 GiB, a quarter of which ElastiCache keeps for itself."""
    defaults = MAIN.defaults()
    assert defaults["BrokerNodeType"] == "cache.t4g.small"
    assert int(defaults["StatementBytes"]) < int(defaults["DeadLetterBytes"]) <= 1.37 * 2**30 * 0.75 / 2


def test_redis_is_open_to_the_adapter_and_to_pod_only():
    resources = PARTS["redis"].section("Resources")
    inside = [rule for one in resources.values() for rule in one["Properties"].get("SecurityGroupIngress", [])]
    alone = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::EC2::SecurityGroupIngress"]
    sources = [json.dumps(rule.get("SourceSecurityGroupId") or rule["CidrIp"]) for rule in (*inside, *alone)]
    assert set(sources) == {'{"Ref": "AdapterSecurityGroup"}', '{"Ref": "PodCidr"}'}


def test_broker_and_jobs_are_never_evicted():
    groups = [
        one["Properties"]["Properties"]
        for one in PARTS["redis"].section("Resources").values()
        if one["Type"] == "AWS::ElastiCache::ParameterGroup"
    ]
    assert [group["maxmemory-policy"] for group in groups] == ["noeviction", "noeviction"]


@pytest.mark.parametrize(
    ("broker", "job_store"), [*itertools.product(("existing", "nodes"), ("broker", "durable", "serverless"))]
)
def test_secrets_of_redis_are_json_with_the_urls_of_what_was_chosen(broker, job_store):
    redis = PARTS["redis"]
    chosen = dict.fromkeys(redis.section("Parameters"), "") | {"Broker": broker, "JobStore": job_store}
    settings = {}
    for resource in redis.rendered("Resources", chosen).values():
        if "SecretString" in resource["Properties"]:
            text, parts = resource["Properties"]["SecretString"]["Fn::Sub"]
            url = parts["Url"] if isinstance(parts["Url"], str) else parts["Url"]["Fn::Sub"]
            settings |= json.loads(text.replace("${Url}", url))
    assert settings["ENCODING_TRANSCODING_CELERY_BROKER_URL"].startswith("rediss://" if broker == "nodes" else "redis:")
    assert settings.get("PODJOBS_REDIS_URL", "").startswith("" if job_store == "broker" else "rediss+cluster://")
    assert ("PODJOBS_REDIS_URL" in settings) == (job_store != "broker")
