"""Performs steps of the encoding function in a process that can be killed: a line in for each, a line out.

`python -m support.step_worker` is that process; it has the function's settings in its environment. `StepWorker` is its
handle.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import NotNowError, PermanentError, Problem, RetryableError, StepError
from podjobs.contract.message_contracts import STEPS, StepReply
from podjobs.contract.steps import STEP_EVENT_TYPE, Step
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.settings import EncodingSettings
from podjobs.logs import configure_logs
from podjobs.settings import load_settings
from support.processes import environment_with

BUSY, SERVER_ERRORS = 503, 500


class StepWorker:
    """The encoding function, in a process of its own that is started when there is a step for it."""

    def __init__(self, settings: Mapping[str, str], log: Path) -> None:
        """Nothing is started yet.

        Args:
            settings: of the function.
            log: everything that it writes.
        """
        self._settings, self._log = settings, log
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def handle(self, step: Step, *, kill_after_s: float | None = None) -> StepReply:
        """Have a step performed.

        Args:
            step: what to do.
            kill_after_s: kill the process then, if it is not done before; None: not at all.

        Raises:
            StepError: the step's; RetryableError if the process was killed.
        """
        process = self._running()
        assert process.stdin
        assert process.stdout
        timer = threading.Timer(kill_after_s or 0, self._kill, (process,))
        if kill_after_s is not None:
            timer.start()
        try:
            process.stdin.write(step.model_dump_json().encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line:
            self.stop()
            raise RetryableError("The function was killed.")
        return _read(json.loads(line))

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "support.step_worker"],
                    env=environment_with(self._settings),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
        return self._process

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        self.kills += 1
        process.kill()

    def stop(self) -> None:
        """End the process at once."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe
                    pipe.close()
            self._process = None


def _read(answer: dict[str, object]) -> StepReply:
    if "reply" in answer:
        return STEPS.read_reply(str(answer["type"]), answer["reply"])
    problem = Problem.model_validate(answer["problem"])
    if problem.status == BUSY:
        raise NotNowError(problem.detail)
    raise (RetryableError if problem.status >= SERVER_ERRORS else PermanentError)(problem.detail, **problem.context)


def _main() -> None:
    configure_logs("encoding", "INFO")
    settings = load_settings(EncodingSettings)
    tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20)
    function = EncodingFunction(tools, open_storage(settings), settings)
    for line in sys.stdin:
        try:
            reply = function.handle(STEPS.read_request(STEP_EVENT_TYPE, line))
            answer = {"type": STEPS.type_of(reply), "reply": reply.model_dump(mode="json")}
        except StepError as error:
            answer = {"problem": Problem.of(error).model_dump(mode="json")}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    _main()
