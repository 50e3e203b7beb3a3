"""Messages that cannot be used are put aside whole."""

import base64

import structlog

from adapter.steps.records import Records
from podjobs.contract.errors import Problem

logger = structlog.get_logger(__name__)


async def bury_message(records: Records, queue: str, raw: bytes, problem: Problem) -> None:
    """Put a message aside, with what is wrong with it.

    Args:
        records: where.
        queue: the broker list it came from.
        raw: the message.
        problem: what is wrong with it.
    """
    try:
        message = {"raw": raw.decode()}
    except UnicodeDecodeError:
        message = {"raw_base64": base64.b64encode(raw).decode()}
    await records.bury_message(queue, message, problem)
    logger.error(
        "A message cannot be used. It was put aside; `dead list` shows it.",
        queue=queue,
        reason=problem.detail,
    )
