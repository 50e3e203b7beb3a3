"""What the templates for AWS mean, whichever parameters are chosen: nothing refers to what is not there."""

import json
import re
import tomllib

import pytest

from adapter.delivery.requests import request_event
from adapter.door.celery_jobs import read_job
from podjobs.contract.media_paths import MediaPaths
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import Step
from podjobs.events import write_message
from support.aws_templates import ALL, MAIN, PARTS, STACKS, part_of
from support.cloudformation import references, used_conditions
from support.processes import REPOSITORY

RECORDED_MEDIA_ROOT = "/usr/local/django_projects/podv4/pod/media"


@pytest.mark.parametrize("template", ALL.values(), ids=ALL)
def test_template_refers_only_to_what_is_there_whatever_is_chosen(template):
    parameters = set(template.section("Parameters"))
    seen = set()
    for chosen in template.combinations():
        known = template.conditions(chosen)
        if (state := tuple(known.values())) in seen:
            continue
        seen.add(state)
        resources = template.rendered("Resources", chosen)
        there = resources.keys() | parameters
        for section in ("Resources", "Outputs"):
            for name, entry in template.rendered(section, chosen).items():
                assert set(references(entry)) <= there, (name, chosen)
    assert len(seen) > 1 or not template.section("Conditions")


@pytest.mark.parametrize("template", ALL.values(), ids=ALL)
def test_template_uses_every_parameter_and_describes_it(template):
    sections = ("Conditions", "Resources", "Outputs", "Globals", "Rules")
    used = {name for section in sections for name in references(template.section(section))}
    assert set(template.section("Parameters")) <= used
    for name, about in template.section("Parameters").items():
        assert about["Description"].endswith("."), name


@pytest.mark.parametrize("template", ALL.values(), ids=ALL)
def test_template_uses_every_condition(template):
    used = set(used_conditions([template.section(name) for name in ("Conditions", "Resources", "Outputs", "Globals")]))
    assert used == set(template.section("Conditions"))


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_nested_stack_is_given_all_its_parameters_and_no_others(stack):
    assert set(stack["Properties"]["Parameters"]) == set(part_of(stack).section("Parameters"))


def test_parts_are_all_used():
    assert sorted(part_of(stack).path for stack in STACKS.values()) == [part.path for part in PARTS.values()]


@pytest.mark.parametrize("stack", STACKS)
def test_outputs_of_a_nested_stack_that_are_used_are_always_there(stack):
    text = MAIN.path.read_text(encoding="utf-8")
    used = set(re.findall(rf"\b{stack}\.Outputs\.(\w+)", text))
    outputs = part_of(STACKS[stack]).section("Outputs")
    assert {name for name in used if "Condition" not in outputs[name]} == used


def test_choices_of_the_parts_are_those_of_the_whole():
    """What is passed on is among what the part allows."""
    for stack in STACKS.values():
        inner = part_of(stack).section("Parameters")
        for name, value in stack["Properties"]["Parameters"].items():
            outer = MAIN.section("Parameters").get(value.get("Ref", ""), {})
            if "AllowedValues" in inner[name]:
                assert inner[name]["AllowedValues"] == outer["AllowedValues"], name


@pytest.mark.parametrize("environment", ["default", "production"])
def test_samconfig_names_parameters_and_values_that_the_template_has(environment):
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))[environment]
    given = dict(one.split("=", 1) for one in config["deploy"]["parameters"]["parameter_overrides"])
    parameters = MAIN.section("Parameters")
    for name, value in given.items():
        assert value in map(str, parameters[name].get("AllowedValues", [value])), name
    required = {name for name, about in parameters.items() if "Default" not in about}
    assert required <= given.keys()


def test_example_event_is_the_first_step_of_a_recorded_request():
    """It is what the adapter would send for it: `sam local invoke` and the console's test need one."""
    recorded = (REPOSITORY / "tests/data/pod-4.1-messages/encode_plain.json").read_bytes()
    job = read_job(recorded, MediaPaths(RECORDED_MEDIA_ROOT))
    step = Step(job=job, step_id="plan", function="encoding", action="plan", accepted_at=0)
    message = write_message(request_event(STEPS, step, "example"))
    written = json.loads((REPOSITORY / "deploy/aws/event.json").read_text(encoding="utf-8"))
    assert written | {"time": message["time"]} == message
