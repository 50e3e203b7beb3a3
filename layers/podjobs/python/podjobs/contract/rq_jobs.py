"""What an RQ job is between the adapter and a function's workers. Pure.

A step, or a batch of statements, is the one argument of a job: an event as an object. The result is an answer as an
object. Both travel as JSON. What RQ calls the function of a job is a name that both sides compare and nobody imports.
"""

import re

HANDLER = "main.handle_message"
"""The name of the function in each job. It exists in every deployable, so that even RQ's own workers can serve one."""
RESULT_TTL_S = 600
"""How long RQ keeps a result that nobody takes, such as that of an adapter which has died."""
HEARTBEAT_S = 5
"""Between two heartbeats of a worker."""
QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""The names of queues."""
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


def rq_job_id(subject: str, attempt: int) -> str:
    """Name the RQ job of one attempt: the same attempt always has the same name, and no other has it.

    RQ takes letters, digits, underscores and dashes.

    Args:
        subject: of the request, such as `job-1/chunk-00003`.
        attempt: from 1.
    """
    return f"{_UNSAFE.sub(_escape, subject)}-{attempt}"


def _escape(found: re.Match[str]) -> str:
    return "__" if found[0] == "/" else "".join(f"_{byte:02X}" for byte in found[0].encode())


ASKED_TTL_S = 60
"""How long a question how workers are is to be answered."""
REPORT_TTL_S = 1800
"""How long the answer of a server counts; it is renewed three times meanwhile."""


def asked_key(queue: str) -> str:
    """Name the string of the latest question how a queue's workers are."""
    return f"podjobs:rq:{queue}:asked"


def reports_key(queue: str) -> str:
    """Name the hash of a queue's reports: place (host and process of a pool) → what it has found, as JSON."""
    return f"podjobs:rq:{queue}:reports"
