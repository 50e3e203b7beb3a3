"""Keeps open pages up to date: server-sent events, one reading of Redis for all pages that show the same.

Source: WHATWG HTML, 9.2 Server-sent events.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

INTERVAL_S = 3.0
MOST_PAGES = 40
"""Pages that are kept up to date at once; others stay as they were loaded."""
SILENCE_S = 15.0
"""Something is sent so often even if nothing changes, so that a page that was closed is noticed."""
LONGEST_S = 600.0
"""Then the page has to ask again, and whoever has logged out meanwhile is refused."""
_SECTION = re.compile(r'<section id="([a-z]+)".*?</section>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Subject:
    """What pages show, each perhaps in its own language."""

    name: str
    """The same for all pages that show the same."""
    read: Callable[[], Awaitable[Any]]
    """Reads it from Redis; raises RedisError."""


@dataclass(eq=False, slots=True)
class _Page:
    language: str
    render: Callable[[Any], str]
    sent: dict[str, str]
    """Section → fingerprint of what the page shows."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False, slots=True)
class _View:
    subject: Subject
    pages: set[_Page] = field(default_factory=set)
    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    """Language → section → its HTML."""


class Live:
    """The pages that are open."""

    def __init__(self) -> None:
        self._views: dict[str, _View] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no further page can be kept up to date."""
        return sum(len(view.pages) for view in self._views.values()) >= MOST_PAGES

    async def follow(
        self, subject: Subject, language: str, render: Callable[[Any], str], shown: str = ""
    ) -> AsyncGenerator[str]:
        """The sections of a page that have changed, whenever some have; empty texts in between.

        Args:
            subject: what is shown.
            language: in which `render` renders.
            render: makes HTML of what was read.
            shown: fingerprints of the sections that the page shows already, see `fingerprints`.
        """
        page = _Page(language, render, dict(part.split(".", 1) for part in shown.split() if "." in part))
        view = self._views.setdefault(subject.name, _View(subject))
        view.pages.add(page)
        if language in view.sections:
            page.wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="page")
        end_s = time.monotonic() + LONGEST_S
        try:
            while time.monotonic() < end_s:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE_S):
                        await page.wake.wait()
                page.wake.clear()
                yield _changed(page, view.sections.get(language, {}))
        finally:
            view.pages.discard(page)
            if not view.pages and self._views.get(subject.name) is view:
                del self._views[subject.name]

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
                    found = await view.subject.read()
                    _distribute(view, found)
                except RedisError as error:
                    logger.warning("The page cannot be brought up to date.", error=str(error))
                except Exception:
                    # a blind catch: a bug of ours in one view must not stop those of the others
                    logger.exception("Internal error in a page that is open.", page=view.subject.name)
            await asyncio.sleep(INTERVAL_S)


def _distribute(view: _View, found: Any) -> None:
    """Render what was read, once in each language, and wake the pages that show something else."""
    sections: dict[str, dict[str, str]] = {}
    for page in view.pages:
        if page.language not in sections:
            sections[page.language] = split_sections(page.render(found))
        if any(page.sent.get(name) != fingerprint(html) for name, html in sections[page.language].items()):
            page.wake.set()
    view.sections = sections


def _changed(page: _Page, sections: dict[str, str]) -> str:
    changed = {name: html for name, html in sections.items() if page.sent.get(name) != fingerprint(html)}
    page.sent |= {name: fingerprint(html) for name, html in changed.items()}
    return "".join(changed.values())


def split_sections(text: str) -> dict[str, str]:
    """The sections of a page that are kept up to date, by their ids."""
    return {found[1]: found[0] for found in _SECTION.finditer(text)}


def fingerprints(text: str) -> str:
    """Tells what a page shows, as it repeats it when it asks for what has changed since."""
    return " ".join(f"{name}.{fingerprint(html)}" for name, html in split_sections(text).items())


def fingerprint(text: str) -> str:
    """Tells a section from another."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
