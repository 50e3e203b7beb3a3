"""What `XINFO GROUPS` calls the lag of a stream is the number of entries that nobody has read, whatever happens.

KEDA reads it (knative/functions/keda). Redis cannot tell it once an entry was deleted that its group had not read, and
older ones neither once the latest that it had read was: then it is null, and a scaler sees nothing
(docs/decisions/0057). Redis before 7 has no lag: the number of pending entries is all that there is.
"""

import asyncio
import os
import random
import signal
from contextlib import ExitStack

import pytest
import redis

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.redis.streams import Streams
from adapter.statements.store import StatementStore
from adapter.steps.entries import parse_entry
from adapter.steps.interventions import Interventions
from adapter.steps.records import Records
from podjobs.contract.errors import Problem
from podjobs.contract.plans import Plan, Result
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.workflows import LOCATE
from support.job_model import stages_of
from support.jobs import encoding_job
from support.parts import running_redis

FUNCTIONS = ("encoding", "notification")
STREAMS = (*map(keys.steps, FUNCTIONS), keys.STATEMENTS)
ADAPTERS = ("one", "two", "three")
EVENTS = 600
MANY_EVENTS = 100_000
RESTARTS, MANY_RESTARTS = 2, 20
"""How often Redis is killed."""
BROKEN = Problem(title="Broken.", status=422, detail="It is broken.")


class Traffic:
    """What adapters do, in any order: on time, late, twice, and after others have taken over."""

    def __init__(self, port, chance):
        self.client = open_redis(f"redis://127.0.0.1:{port}/0", text=True)
        self.records = Records(self.client, 1000)
        self.store = StatementStore(self.client)
        self.streams = {name: Streams(self.client, name) for name in ADAPTERS}
        self.chance = chance
        self.steps = []
        """Steps that somebody has taken at any time, the latest last."""
        self.letters = []
        """Ids of statements' entries that were read."""
        self.number = 0

    async def begin(self):
        for stream in STREAMS:
            await self.streams["one"].ensure_group(stream)

    async def act(self):
        """Do one thing."""
        acts = [self.accept, self.take, self.take, self.take, self.end_step, self.end_step, self.end_step]
        acts += [self.reclaim, self.give_back, self.replay, self.append, self.read, self.settle, self.settle]
        if self.chance.random() < 0.002:
            acts = [self.lose_everything]
        await self.chance.choice(acts)()

    def _adapter(self):
        return self.chance.choice(ADAPTERS)

    async def accept(self):
        # few videos: most jobs supersede another
        self.number += 1
        jobs = [
            encoding_job(f"job-{self.number}-{n}", self.chance.randint(1, 6)) for n in range(self.chance.randint(1, 2))
        ]
        await self.records.accept(
            jobs, [self.chance.randint(1, 10_000) for _ in jobs] if self.chance.random() < 0.3 else []
        )

    async def take(self):
        function = self.chance.choice(FUNCTIONS)
        entries, _ = await self.records.take(function, self._adapter(), self.chance.randint(1, 4))
        taken = [parse_entry(function, entry_id, fields, 1) for entry_id, fields in entries]
        self.steps = [*self.steps, *taken][-60:]
        if taken and self.chance.random() < 0.8:
            await self.records.join(taken)

    async def end_step(self):
        """End a step: mostly one that is in work, sometimes one of long ago."""
        if not self.steps:
            return
        step = self.chance.choice(self.steps[-8:] if self.chance.random() < 0.8 else self.steps)
        job = encoding_job(step.job_id, 1)
        match self.chance.randint(0, 9):
            case 0:
                await self.records.fail(step, BROKEN)
            case 1:
                await self.records.schedule_retry(step, "")
            case 2:
                await self.records.hold(step, self._adapter(), "", 1.0)
            case 3:
                await self.records.restart(step, job, BROKEN)
            case 4:
                await self.records.miss_source(step, "", is_last=self.chance.random() < 0.2)
            case 5:
                await self.streams[self._adapter()].resume(keys.steps(step.function), step.entry_id, 1)
            case _:
                await self._commit(step, job)

    async def _commit(self, step, job):
        if step.spec.action == LOCATE:
            reply = Relocation(whereabouts=self.chance.choice(list(Whereabouts)), job=job)
        elif step.spec.action == "plan":
            self.number += 1
            shape = [
                [(self.chance.choice(FUNCTIONS), 1, False) for _ in range(self.chance.randint(1, 5))] for _ in range(2)
            ]
            reply = Plan(stages=stages_of(shape, f"p{self.number}"))
        else:
            reply = Result()
        for _ in range(2 if self.chance.random() < 0.1 else 1):
            await self.records.commit(step, reply)

    async def reclaim(self):
        """Take over what others have: they died, or a wait is over."""
        stream, adapter = self.chance.choice(STREAMS), self.streams[self._adapter()]
        pending = await adapter.pending(stream)
        claimed = await adapter.claim(stream, [entry for entry in pending if self.chance.random() < 0.5])
        for (entry_id, fields), attempt in claimed:
            if stream == keys.STATEMENTS:
                self.letters.append(entry_id)
            else:
                self.steps.append(parse_entry(stream.rpartition(":")[2], entry_id, fields, attempt))
        for owner in await adapter.idle_consumers(stream):
            await adapter.remove_consumer(stream, owner)

    async def give_back(self):
        await self.streams[self._adapter()].give_back(self.chance.choice(STREAMS))

    async def replay(self):
        for letter_id, fields in await self.client.xrange(keys.DEAD, count=3):
            if fields["kind"] == "statement":
                await self.store.replay(letter_id)
            elif fields["kind"] == "job":
                await Interventions(self.records.script).replay(
                    encoding_job(fields["job"], int(fields["target"])), letter_id
                )

    async def append(self):
        await self.store.append(["{}"] * self.chance.randint(1, 20))

    async def read(self):
        entries = await self.streams[self._adapter()].read(keys.STATEMENTS, self.chance.randint(1, 15))
        self.letters = [*self.letters, *(entry_id for entry_id, _ in entries)][-60:]

    async def settle(self):
        known = self.chance.sample(self.letters, min(len(self.letters), self.chance.randint(0, 12)))
        half = self.chance.randint(0, len(known))
        await self.store.settle(known[:half], [(entry_id, BROKEN) for entry_id in known[half:]])
        if self.letters and self.chance.random() < 0.2:
            await self.streams[self._adapter()].park(keys.STATEMENTS, self.letters[-3:])

    async def lose_everything(self):
        """Redis loses its data; a door may write before there is a group again."""
        await self.client.flushall()
        if self.chance.random() < 0.5:
            await self.append()
        await self.begin()


def check(watcher):
    for stream in STREAMS:
        (group,) = watcher.xinfo_groups(stream)
        unread = watcher.xrange(stream, f"({group['last-delivered-id']}", "+")
        assert group["lag"] == len(unread), (stream, group)
        assert group["pending"] + len(unread) == watcher.xlen(stream), (stream, group)


async def run(port, chance, events, totals):
    traffic = Traffic(port, chance)
    try:
        await traffic.begin()
        await traffic.store.sweep()  # as a batcher does, every second
        with redis.Redis(port=port, decode_responses=True) as watcher:
            for _ in range(events):
                await traffic.act()
                check(watcher)
            totals["added"] += int(watcher.xinfo_stream(keys.STATEMENTS)["entries-added"])
            if chance.random() < 0.5:
                watcher.bgrewriteaof()
            return int(watcher.info("server")["process_id"])
    finally:
        await traffic.client.aclose()


def run_campaign(folder, seed, events, restarts):
    """Act, and kill Redis again and again; it begins again with what it had."""
    chance, totals = random.Random(seed), {"added": 0}
    with ExitStack() as servers:
        port = servers.enter_context(running_redis(folder))
        for part in range(restarts + 1):
            pid = asyncio.run(run(port, chance, events // (restarts + 1), totals))
            if part < restarts:
                os.kill(pid, signal.SIGKILL)
                servers.close()
                servers.enter_context(running_redis(folder, port=port))
    assert totals["added"] > events / 100  # that there was traffic


def test_lag_is_what_nobody_has_read_whatever_happens(tmp_path, seed):
    run_campaign(tmp_path, seed, EVENTS, RESTARTS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_lag_is_what_nobody_has_read_after_a_hundred_thousand_events(tmp_path, seed, events):
    run_campaign(tmp_path, seed, events or MANY_EVENTS, MANY_RESTARTS)
