"""Serves steps that cost nothing: `/encoding` and `/notification`. Files in BENCHMARK_FOLDER say how.

`steps`: how many steps a plan has; `hold`: while it is there, no step ends.
`entered` is written: when each step came in.
"""

import os
import time
from pathlib import Path

import flask

from podjobs.contract.steps import Plan, Result, Stage, Step, StepSpec
from podjobs.entry import Function, http_handler
from podjobs.settings import LogSettings

FOLDER = Path(os.environ["BENCHMARK_FOLDER"])
SLOTS = 1000
HOLD_LOOK_S = 0.2


class NoopFunction:
    """Replies at once."""

    def handle(self, step: Step) -> Plan | Result:
        """Note when the step came in; reply with a plan or an empty result."""
        entered = time.time()
        with (FOLDER / "entered").open("a", encoding="utf-8") as log:
            log.write(f"{step.job.id}/{step.step_id} {entered:.6f}\n")
        while (FOLDER / "hold").exists():
            time.sleep(HOLD_LOOK_S)
        if step.action != "plan":
            return Result()
        count = int((FOLDER / "steps").read_text(encoding="utf-8"))
        steps = tuple(
            StepSpec(id=f"chunk-{number:05d}", function="encoding", action="chunk", params={"number": number})
            for number in range(count)
        )
        return Plan(stages=(Stage(name="encode", steps=steps),))


def build(_: LogSettings) -> tuple[Function, int]:
    """Make the function."""
    return NoopFunction(), SLOTS


handlers = {name: http_handler(name, LogSettings, build) for name in ("encoding", "notification")}


def handle(request: flask.Request) -> flask.Response:
    """Serve the function that the path names."""
    return handlers[request.path.strip("/") or "encoding"](request)
