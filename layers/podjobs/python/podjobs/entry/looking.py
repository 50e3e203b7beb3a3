"""Makes the looks of a function, all at once, within a time limit."""

import threading
import time
from collections.abc import Iterator, Sequence

import structlog

from podjobs.contract.errors import StepError
from podjobs.contract.examinations import Finding, Verdict
from podjobs.contract.looks import Look

logger = structlog.get_logger(__name__)


def look_at_all(looks: Sequence[Look], limit_s: float) -> Iterator[Finding]:
    """Make looks.

    Args:
        looks: what to look at.
        limit_s: how long all of it may take. What hangs is left to its thread, and said.

    Yields:
        What was found, in the order of the looks.
    """
    ends_at = time.monotonic() + limit_s
    results: list[list[Finding]] = [[] for _ in looks]
    threads = [
        threading.Thread(target=_make, args=(look, result), daemon=True)
        for look, result in zip(looks, results, strict=True)
    ]
    for thread in threads:
        thread.start()
    for look, thread, result in zip(looks, threads, results, strict=True):
        thread.join(max(0.0, ends_at - time.monotonic()))
        if thread.is_alive() and not result:
            said = f"Nothing was found out within {limit_s:.1f} s: what it needs does not answer."
            yield Finding(subject=look.subject, part=look.part, verdict=Verdict.FAULT, said=said)
        yield from list(result)


def _make(look: Look, result: list[Finding]) -> None:
    try:
        found = list(look.find())
    except StepError as error:
        found = [Finding(subject=look.subject, part=look.part, verdict=Verdict.FAULT, said=error.detail)]
    except Exception as error:
        # a blind catch: whatever is wrong with one look, the others are told
        logger.exception("A look has failed.", part=look.part)
        said = f"It could not be examined: {type(error).__name__}. The function's log has the traceback."
        found = [Finding(subject=look.subject, part=look.part, verdict=Verdict.FAULT, said=said)]
    result.extend(found)
