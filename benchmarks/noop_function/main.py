"""Serves steps that cost nothing: `/encoding` and `/notification`. Files in BENCHMARK_FOLDER say how.

`steps`: how many steps a plan has; `hold`: while it is there, no step ends; `plan-<video>.json`: the plan for that
video. A step takes as long as its parameter `takes_s` says.
`entered` is written: when each step came in.
"""

import time
from pathlib import Path

import flask

from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.steps import Step
from podjobs.entry.definition import FunctionDefinition, entry_points, open_endpoint
from podjobs.entry.endpoint import StepHandler
from podjobs.entry.http import HttpHandler, http_handler
from podjobs.entry.messages import MessageHandler
from podjobs.settings import EndpointSettings

SLOTS = 1000
HOLD_LOOK_S = 0.2


class NoopSettings(EndpointSettings):
    """Where the files are."""

    benchmark_folder: Path


class NoopFunction:
    """Replies at once."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the files."""
        self._folder = folder

    def handle(self, step: Step) -> Plan | Result:
        """Note when the step came in; reply with a plan or an empty result."""
        entered = time.time()
        with (self._folder / "entered").open("a", encoding="utf-8") as log:
            log.write(f"{step.job.id}/{step.step_id} {entered:.6f}\n")
        while (self._folder / "hold").exists():
            time.sleep(HOLD_LOOK_S)
        time.sleep(step.params.get("takes_s", 0))
        if step.action != "plan":
            return Result()
        plan = self._folder / f"plan-{step.job.target}.json"
        if plan.exists():
            return Plan.model_validate_json(plan.read_bytes())
        count = int((self._folder / "steps").read_text(encoding="utf-8"))
        steps = tuple(
            StepSpec(id=f"chunk-{number:05d}", function="encoding", action="chunk", params={"number": number})
            for number in range(count)
        )
        return Plan(stages=(Stage(name="encode", steps=steps),))


def build(settings: NoopSettings) -> tuple[StepHandler, int]:
    """Make the handler."""
    return NoopFunction(settings.benchmark_folder), SLOTS


FUNCTION = FunctionDefinition("encoding", STEPS, NoopSettings, build)


def __getattr__(name: str) -> HttpHandler | MessageHandler:
    """Make `handle`, which serves the function that the path names, or `handle_message`, which serves `encoding`."""
    if name != "handle":
        handler: MessageHandler = entry_points(FUNCTION)(name)
        return handler
    handlers = {
        name: http_handler(*open_endpoint(FunctionDefinition(name, STEPS, NoopSettings, build)))
        for name in ("encoding", "notification")
    }

    def handle(request: flask.Request) -> flask.Response:
        return handlers[request.path.strip("/") or "encoding"](request)

    return handle
