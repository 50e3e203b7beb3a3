"""A subject is a table of actions: what a new one needs, and what it refuses."""

from dataclasses import dataclass
from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError

from podjobs.contract.actions import Actions, StepContext, choose_action, expect_job
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import EncodingJob, Job
from podjobs.contract.plans import Result
from podjobs.contract.reply_to import Nobody
from podjobs.contract.steps import Step


class GreetingJob(Job):
    type: Literal["greeting"] = "greeting"


class Guest(BaseModel):
    name: str


class Manners(BaseModel):
    greeting: str


@dataclass(frozen=True)
class Context(StepContext[GreetingJob]):
    host: str


def greet(context):
    words = context.shared(Manners).greeting, context.params(Guest).name
    return Result(log=(f"{context.host} to {context.job.target}: {', '.join(words)}.",))


ACTIONS: Actions[Context] = {"greet": greet}


class GreetingFunction:
    def perform(self, step):
        job = expect_job(step, GreetingJob)
        return choose_action(step, ACTIONS)(Context(job, step, host="The house"))


def step(**changes):
    values = {
        "job": GreetingJob(id="job-1", target="door", reply_to=Nobody()), "step_id": "greet-1", "function": "toy",
        "action": "greet", "params": {"name": "Ada"}, "shared": {"greeting": "Good day"}, "accepted_at": 0,
    }  # fmt: skip
    return Step(**(values | changes))


def test_perform_step_does_its_action_with_what_is_shared_and_what_is_its_own():
    assert GreetingFunction().perform(step()).log == ("The house to door: Good day, Ada.",)


def test_perform_unknown_action_is_refused_and_the_known_ones_are_named():
    with pytest.raises(InvalidRequestError, match="The toy function has no action 'dance', expected one of: greet"):
        GreetingFunction().perform(step(action="dance"))


def test_perform_job_of_another_type_is_refused():
    job = EncodingJob(id="job-1", target="7", reply_to=Nobody(), source="a.mp4", output_folder="0007")
    with pytest.raises(InvalidRequestError, match="The toy function does not perform jobs of type 'encoding'"):
        GreetingFunction().perform(step(job=job))


@pytest.mark.parametrize("wrong", [{"params": {}}, {"shared": {"greeting": 3}}])
def test_perform_data_that_are_not_valid_are_refused(wrong):
    with pytest.raises(ValidationError):
        GreetingFunction().perform(step(**wrong))
