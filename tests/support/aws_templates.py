"""The templates that deploy everything on AWS."""

from pathlib import Path

from support.cloudformation import Template
from support.processes import REPOSITORY

MAIN = Template.read(REPOSITORY / "template.yaml")
PARTS = {path.stem: Template.read(path) for path in sorted((REPOSITORY / "deploy/aws").glob("*.yaml"))}
ALL = {"template": MAIN, **PARTS}
STACKS = {
    name: resource
    for name, resource in MAIN.section("Resources").items()
    if resource["Type"] == "AWS::CloudFormation::Stack"
}


def part_of(stack: dict[str, dict[str, str]]) -> Template:
    """The template of a nested stack."""
    return PARTS[Path(stack["Properties"]["TemplateURL"]).stem]
