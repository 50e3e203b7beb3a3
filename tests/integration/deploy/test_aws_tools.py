"""The templates for AWS, as AWS's own tools judge and package them. Nothing here reaches AWS."""

import subprocess

import pytest

from support.aws_templates import ALL, MAIN, STACKS, part_of
from support.cloudformation import Template
from support.processes import REPOSITORY, environment_with
from support.s3_server import credentials, s3_server

pytestmark = pytest.mark.slow
BIN = REPOSITORY / ".venv-aws/bin"
REGION = "eu-west-3"
REGIONS = (REGION, "us-east-1")


@pytest.fixture(scope="session", autouse=True)
def tools():
    """Installed, in the versions of requirements-aws.txt."""
    subprocess.run([REPOSITORY / "scripts/setup", "--aws"], check=True, cwd=REPOSITORY)


def run(program, *arguments, **settings):
    given = {"AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"} | settings
    argv = [BIN / program, *map(str, arguments)]
    return subprocess.run(
        argv, env=environment_with(given), cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize("region", REGIONS)
def test_cfn_lint_finds_nothing_in_any_template(region):
    done = run("cfn-lint", "--regions", region, "--", *(template.path for template in ALL.values()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_sam_validate_lint_finds_nothing():
    done = run("sam", "validate", "--lint", "--template", MAIN.path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


@pytest.fixture(scope="module")
def store():
    """Stands where SAM uploads the nested templates."""
    with s3_server() as server:
        yield server


def without_metadata(template):
    """SAM adds some, which mean nothing to CloudFormation."""
    kept = {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template.section("Resources").items()
    }
    return template.content | {"Resources": kept}


def test_sam_package_uploads_the_nested_templates_as_they_are_and_leaves_the_images_alone(store, tmp_path):
    written = tmp_path / "packaged.yaml"
    done = run(
        *("sam", "package", "--template", MAIN.path, "--output-template-file", written),
        *("--s3-bucket", store.bucket, "--image-repository", "123456789012.dkr.ecr.eu-west-3.amazonaws.com/x"),
        AWS_ENDPOINT_URL_S3=store.endpoint,
        **credentials(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    packaged = Template.read(written).section("Resources")
    for name, stack in STACKS.items():
        url = packaged[name]["Properties"]["TemplateURL"]
        key = url.partition(f"/{store.bucket}/")[2] or url.rpartition("/")[2]
        body = store.client().get_object(Bucket=store.bucket, Key=key)["Body"].read().decode()
        uploaded = tmp_path / f"{name}.yaml"
        uploaded.write_text(body, encoding="utf-8")
        assert without_metadata(Template.read(uploaded)) == without_metadata(part_of(stack))
    for name, resource in MAIN.section("Resources").items():
        if resource["Type"] == "AWS::Serverless::Function":
            assert packaged[name]["Properties"]["ImageUri"] == resource["Properties"]["ImageUri"]
