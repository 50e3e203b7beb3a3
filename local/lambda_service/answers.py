"""What the emulator's answer to an invocation means, said as AWS says it. Pure.

The emulator answers 200 also when the handler has raised or time ran out, and 502 when the process died. AWS answers
200 in all these cases, and the header X-Amz-Function-Error tells them from a result.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

TIMED_OUT = b"Task timed out after "
"""How the emulator's text begins when the time is up."""
EXIT_ERROR, TIMEOUT_ERROR = "Runtime.ExitError", "Sandbox.Timedout"
ERROR_KEYS = {"errorMessage", "errorType"}
"""What AWS's runtime client answers when the handler has raised."""
MOST_ERROR_BYTES = 1 << 18
"""Longer answers are results."""


@dataclass(frozen=True, slots=True)
class FunctionAnswer:
    """What Invoke answers with status 200."""

    payload: bytes
    """JSON: the result, or the error."""
    is_error: bool = False
    """The function failed: AWS says so in a header."""
    is_over: bool = False
    """The execution environment cannot be used any more."""


def read_emulator_answer(status: int, content: bytes, request_id: str) -> FunctionAnswer:
    """Read what the emulator has answered.

    Args:
        status: HTTP status.
        content: the body.
        request_id: of the invocation.
    """
    if status != HTTPStatus.OK:  # the process ended, or its answer is too long
        stated = _error_in(content)
        payload = content if stated else _error(EXIT_ERROR, request_id, "Runtime exited without providing a reason")
        return FunctionAnswer(payload, is_error=True, is_over=stated.get("errorType", EXIT_ERROR) == EXIT_ERROR)
    if content.startswith(TIMED_OUT):
        return FunctionAnswer(
            _error(TIMEOUT_ERROR, request_id, content.decode("utf-8", "replace").strip()), is_error=True, is_over=True
        )
    return FunctionAnswer(content, is_error=bool(_error_in(content)))


def _error_in(content: bytes) -> dict[str, str]:
    """The error that a body holds; empty: it holds none."""
    if len(content) > MOST_ERROR_BYTES:
        return {}
    try:
        parsed = json.loads(content)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) and parsed.keys() >= ERROR_KEYS else {}


def _error(kind: str, request_id: str, sentence: str) -> bytes:
    """An error as AWS writes it."""
    return json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {sentence}"}).encode()
