"""Lanes beside the work, such as numbers and mails: whatever happens in one of them, jobs and steps go on."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

logger = structlog.get_logger(__name__)

AGAIN_S = 30.0


async def keep_going(name: str, lane: Callable[[], Awaitable[None]], again_s: float = AGAIN_S) -> None:
    """Run a lane until it ends or is cancelled; begin it again if it fails.

    Args:
        name: what it is called in the log.
        lane: begins it.
        again_s: seconds until it is begun again.
    """
    while True:
        try:
            await lane()
        except Exception:
            # a blind catch: a bug of ours there must not end the process, and with it all that works
            logger.exception("Internal error beside the work. It begins again.", lane=name)
        else:
            return
        await asyncio.sleep(again_s)
