"""Keeps open pages up to date: server-sent events, one reading of Redis for all pages that show the same.

Source: WHATWG HTML, 9.2 Server-sent events.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError

from adapter.page.views import fingerprint

logger = structlog.get_logger(__name__)

INTERVAL_S = 3.0
MOST_PAGES = 40
"""Pages that are kept up to date at once; others stay as they were loaded."""
LONGEST_S = 15.0
"""Something is sent so often even if nothing changes, so that a page that was closed is noticed."""


class TooManyPagesError(Exception):
    """No further page can be kept up to date."""


@dataclass(eq=False, slots=True)
class _View:
    read: Callable[[], Awaitable[str]]
    pages: set["asyncio.Queue[str]"] = field(default_factory=set)
    text: str = ""


class Live:
    """The pages that are open."""

    def __init__(self) -> None:
        self._views: dict[str, _View] = {}
        self._task: asyncio.Task[None] | None = None

    async def follow(self, name: str, read: Callable[[], Awaitable[str]]) -> AsyncIterator[str]:
        """What a view shows, now and whenever it has changed; empty texts in between.

        Args:
            name: the same for all pages that show the same.
            read: reads and renders it.

        Raises:
            TooManyPagesError: so many are followed already.
        """
        if sum(len(view.pages) for view in self._views.values()) >= MOST_PAGES:
            raise TooManyPagesError
        view = self._views.setdefault(name, _View(read))
        page: asyncio.Queue[str] = asyncio.Queue(1)
        view.pages.add(page)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="page")
        try:
            while True:
                try:
                    async with asyncio.timeout(LONGEST_S):
                        text = await page.get()
                except TimeoutError:
                    text = ""
                yield text
        finally:
            view.pages.discard(page)
            if not view.pages:
                self._views.pop(name, None)

    async def close(self) -> None:
        """Follow nothing more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        """Read while any page is open."""
        while self._views:
            for view in list(self._views.values()):
                try:
                    text = await view.read()
                except RedisError as error:
                    logger.warning("The page cannot be brought up to date.", error=str(error))
                    continue
                if fingerprint(text) != fingerprint(view.text):
                    view.text = text
                    for page in view.pages:
                        if page.full():
                            page.get_nowait()
                        page.put_nowait(text)
            await asyncio.sleep(INTERVAL_S)
