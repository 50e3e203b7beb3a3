"""The page of dead letters: what it lists, and what it changes."""

import json

import pytest

from adapter.page.dead_letters import AMONG
from adapter.redis import keys
from podjobs.contract.errors import Problem
from support.jobs import encoding_job, encoding_message

LIMIT_BYTES = 100_000
DAY_MS = 86_400_000
LONG = "&'<" * 2000


@pytest.fixture
def bury(jobs_redis, store_job):
    """Store a dead letter. Returns its id."""

    async def store(kind="message", reason="It is not JSON.", entry="*", job_id="job-1"):
        fields = {
            "job": {
                "job": job_id,
                "params": encoding_job(job_id, 7).model_dump_json(),
                "type": "encoding",
                "step": "{}",
            },
            "message": {"queue": "encoding", "raw": encoding_message(job_id, 7).decode()},
            "statement": {"statement": json.dumps({"id": job_id})},
        }
        if kind == "job":
            await store_job(job_id)
        problem = Problem(title="No.", status=422, detail=reason).model_dump_json()
        return await jobs_redis.xadd(keys.DEAD, {"kind": kind, **fields[kind], "problem": problem}, id=entry)

    return store


async def left(jobs_redis):
    return [entry for entry, _ in await jobs_redis.xrange(keys.DEAD)]


async def test_dead_letters_are_a_click_away_where_they_need_attention(page, bury):
    await page.open("/")
    assert '<a href="/dead">Dead letters</a>' in page.html
    await bury()
    await page.open("/")
    assert "1 dead letter waits for a decision" in page.html
    assert '<a href="/dead" >Show' in page.html


async def test_reasons_are_listed_with_their_number_and_when_they_were_first_seen(page, bury):
    first_ms = 1_700_000_000_000
    for number in range(3):
        await bury("statement", "The LRS refuses it.", f"{first_ms + number * DAY_MS}-0", f"id-{number}")
    await bury("message", "It is not JSON.", f"{first_ms + 9 * DAY_MS}-0")
    assert await page.open("/dead") == 200
    reasons, letters = page.html.partition('id="letters-title"')[::2]
    assert reasons.index("The LRS refuses it.") < reasons.index("It is not JSON.")
    assert 'data-label="Number">3</td><td data-label="First seen">2023-11-' in reasons
    assert letters.count("The LRS refuses it.") == 3
    assert "statement id-2" in letters
    assert "of the queue encoding" in letters
    await page.open("/dead?kind=message")
    assert "The LRS refuses it." not in page.html
    await page.open("/dead?reason=lrs%20REFUSES&since=2023-11-16T00:00")
    assert page.html.count("statement id-") == 1
    await page.open("/dead?reason=nothing")
    assert "No dead letter matches." in page.html


async def test_without_dead_letters_all_is_well(page):
    await page.open("/dead?lang=fr")
    assert "Il n’y a aucun message en échec." in page.html


@pytest.mark.parametrize("query", ["kind=brokn", "since=yesterday", "kind=x&since=y"])
async def test_conditions_that_cannot_be_read_choose_nothing(page, bury, query):
    entry = await bury()
    for place in (f"/dead?{query}", f"/dead/confirm?action=drop&{query}"):
        await page.open(place)
        assert "This cannot be read: " in page.html
        assert entry not in page.html


async def test_one_is_dropped_after_it_was_asked(page, bury, jobs_redis):
    one, other = await bury(entry="1-0"), await bury(entry="2-0")
    await page.open("/dead")
    assert f'href="/dead/confirm?action=drop&amp;entry={one}"' in page.html
    await page.open(f"/dead/confirm?action=drop&entry={one}")
    assert "1 dead letter would be changed; nothing was changed yet." in page.html
    assert await left(jobs_redis) == [one, other]
    assert await page.send("/dead/change", action="drop", entry=one) == 200
    assert "1 dead letter was dropped." in page.html
    assert await left(jobs_redis) == [other]
    await page.open(f"/dead/confirm?action=drop&entry={other}")
    assert await page.send("/dead/change", action="drop", entry=one) == 200
    assert "0 dead letters were dropped." in page.html
    assert "There is no such entry any more." in page.html


async def test_those_that_match_are_replayed_where_they_came_from(page, bury, jobs_redis, broker):
    await bury("message", "Mended since.", "1-0", "job-1")
    await bury("statement", "Mended since.", "2-0", "job-2")
    await bury("job", "Mended since.", "3-0", "job-3")
    kept = await bury("job", "Not mended.", "4-0", "job-4")
    await page.open("/dead/confirm?action=replay&reason=mended%20since")
    assert "3 dead letters would be changed" in page.html
    entries = [f"{number}-0" for number in (1, 2, 3)]
    assert all(f'name="entry" value="{entry}"' in page.html for entry in entries)
    assert 'value="4-0"' not in page.html
    for entry in entries:
        await page.open("/dead/confirm?action=replay&reason=mended%20since")
        await page.send("/dead/change", action="replay", entry=entry)
        assert "1 dead letter was replayed." in page.html
    assert await left(jobs_redis) == [kept]
    assert await broker.llen("encoding") == 1
    assert await jobs_redis.xlen(keys.STATEMENTS) == 1
    assert await jobs_redis.hget(keys.job("job-3"), "state") == "queued"


async def test_what_cannot_be_replayed_is_left_and_says_why(page, bury, jobs_redis):
    entry = await bury("job", "Broken.")
    await jobs_redis.hset(keys.job("job-1"), "state", "running")
    await page.open(f"/dead/confirm?action=replay&entry={entry}")
    assert await page.send("/dead/change", action="replay", entry=entry) == 200
    assert "only a job that has failed can be replayed" in page.html
    assert await left(jobs_redis) == [entry]


@pytest.mark.parametrize("fields", [{"action": "delete"}, {"action": ""}, {}])
async def test_action_that_there_is_not_is_none(page, bury, jobs_redis, fields):
    entry = await bury()
    assert await page.open("/dead/confirm?action=delete") == 404
    await page.open("/dead")
    await page.open("/")
    assert await page.send("/dead/change", entry=entry, **fields) == 404
    assert await left(jobs_redis) == [entry]


async def test_entry_that_is_no_id_is_not_looked_for(page, bury, jobs_redis):
    entry = await bury()
    for wrong in ("-", "+", "x", "1-", "0-0 + COUNT 1"):
        await page.open(f"/dead/confirm?action=drop&entry={wrong}")
        assert "No dead letter matches." in page.html
        await page.open("/")
        await page.send("/dead/change", action="drop", entry=wrong)
        assert "0 dead letters were dropped." in page.html
    assert await left(jobs_redis) == [entry]


@pytest.mark.slow
async def test_documents_stay_small_however_many_there_are(page, jobs_redis):
    async with jobs_redis.pipeline(transaction=False) as pipeline:
        for number in range(AMONG + 100):
            problem = Problem(title="No.", status=422, detail=f"{number % 30} {LONG}").model_dump_json()
            pipeline.xadd(keys.DEAD, {"kind": "job", "job": LONG, "problem": problem})
        await pipeline.execute()
    sizes = {}
    for place in ("/dead", "/dead?reason=1", "/dead/confirm?action=drop", "/dead/confirm?action=replay&kind=job"):
        assert await page.open(place) == 200
        sizes[place] = len(page.html.encode())
    assert {place: size for place, size in sizes.items() if size > LIMIT_BYTES} == {}
    await page.open("/dead")
    assert "10 other reasons are rarer." in page.html
    assert "Only the newest 2000 were looked at; <code>podjobs dead</code> knows all." in page.html
    await page.open("/dead/confirm?action=drop")
    assert "500 dead letters would be changed; nothing was changed yet. 1500 more match" in page.html
