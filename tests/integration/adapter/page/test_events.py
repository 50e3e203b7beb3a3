"""Pages that are open are kept up to date: what changes is sent, read once for all of them, while any is open."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from adapter.cancellation import cancel_and_wait
from adapter.page import live
from adapter.page.live import MOST_PAGES, Live, Subject, fingerprints, split_sections
from adapter.redis import keys

QUICK_S = 0.02


class Counted:
    """Something to show that counts how often it is read."""

    def __init__(self):
        self.text = "first"
        self.reads = 0

    async def read(self):
        self.reads += 1
        return self.text


def render(text):
    return f'<section id="still">Always.</section>\n<section id="moving">{text}</section>'


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setattr(live, "INTERVAL_S", QUICK_S)
    return Counted()


@asynccontextmanager
async def following(pages, shown, language="en", begin=""):
    changes = pages.follow(Subject("front", shown.read), language, render, begin)
    async with aclosing(changes):
        yield changes


async def test_a_page_gets_what_it_does_not_show_yet_and_then_what_has_changed(shown):
    pages = Live()
    async with following(pages, shown, begin=fingerprints(render("older"))) as changes:
        assert split_sections(await anext(changes)) == {"moving": '<section id="moving">first</section>'}
        shown.text = "second"
        assert await anext(changes) == '<section id="moving">second</section>'
    await pages.close()


async def test_what_does_not_change_is_not_sent(shown, monkeypatch):
    monkeypatch.setattr(live, "SILENCE_S", 10 * QUICK_S)
    pages = Live()
    async with following(pages, shown, begin=fingerprints(render("first"))) as changes:
        assert await anext(changes) == ""
    assert shown.reads > 3
    await pages.close()


async def test_many_pages_are_one_reading_and_none_is_none(shown):
    pages = Live()
    async with following(pages, shown) as one, following(pages, shown, "fr") as two, following(pages, shown) as three:
        for changes in (one, two, three):
            assert "first" in await anext(changes)
        before = shown.reads
        await asyncio.sleep(10 * QUICK_S)
        assert 1 <= shown.reads - before <= 12
    await asyncio.sleep(3 * QUICK_S)
    before = shown.reads
    await asyncio.sleep(10 * QUICK_S)
    assert shown.reads == before
    await pages.close()


async def test_a_page_is_followed_for_some_minutes_then_it_has_to_ask_again(shown, monkeypatch):
    monkeypatch.setattr(live, "LONGEST_S", 2 * QUICK_S)
    monkeypatch.setattr(live, "SILENCE_S", QUICK_S)
    pages = Live()
    async with following(pages, shown) as changes:
        assert len([one async for one in changes]) <= 3
    await pages.close()


async def test_events_carry_the_sections_that_have_changed(page, store_job, jobs_redis, monkeypatch):
    monkeypatch.setattr(live, "INTERVAL_S", QUICK_S)
    await store_job(reason="The first reason.")
    await page.open("/")
    place = page.html.partition('data-follow="')[2].partition('"')[0].replace("&amp;", "&")
    await store_job("job-2", reason="The second reason.")
    async with page.client.get(place) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        async with asyncio.timeout(5):
            event = (await answer.content.readuntil(b"\n\n")).decode()
    assert all(line.startswith("data: ") for line in event.splitlines() if line)
    assert "The second reason." in event
    assert "The first reason." in event
    assert '<section id="adapters"' not in event
    assert not await jobs_redis.exists(keys.PAUSED)


async def test_more_pages_than_are_followed_are_told_not_to_ask_again(page, monkeypatch):
    monkeypatch.setattr(live, "INTERVAL_S", QUICK_S)
    opened = [await page.client.get("/events") for _ in range(MOST_PAGES)]
    async with page.client.get("/events") as answer:
        assert answer.status == 204
    for one in opened:
        one.close()


async def test_page_that_cannot_be_shown_keeps_no_other_from_being_brought_up_to_date(shown):
    class Broken:
        async def read(self):
            raise KeyError("a bug")

    pages = Live()
    async with following(pages, shown) as changes:
        assert "first" in await anext(changes)
        broken = pages.follow(Subject("broken", Broken().read), "en", render)
        waiting = asyncio.create_task(anext(broken))
        await asyncio.sleep(5 * QUICK_S)
        shown.text = "second"
        async with asyncio.timeout(2):
            assert "second" in await anext(changes)
        await cancel_and_wait([waiting])
    await pages.close()
