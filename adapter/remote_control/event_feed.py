"""What flower, or `celery events`, hears of an adapter: that its nodes are online, and what becomes of tasks.

A beat of each node is published every two seconds, as Celery's workers do; Redis keeps nothing of it, and says how many
have heard it. Of tasks something is told only while somebody listens and has asked for it (`enable_events`).
"""

import os
import time
from collections.abc import Sequence
from typing import Any

from adapter.inspection.job_record import JobRecord
from adapter.redis.connections import RedisClient
from adapter.remote_control.inspect_commands import Desk
from adapter.remote_control.mailbox import EVENTS, Sending, topic, write_message
from adapter.remote_control.nodes import JobNode, Node, View
from adapter.remote_control.task_events import Announcements

BEAT_S = 2.0
AT_ONCE = 100
"""Events in one message."""
OVERLAP_S = 10.0
"""What has changed shortly before the latest look is looked at again: the records' clock is that of their server."""


class EventFeed:
    """Publishes the events of one broker's nodes."""

    def __init__(self, broker: RedisClient, database: int, nodes: Sequence[Node], desk: Desk) -> None:
        """Publish in a database.

        Args:
            broker: a client of it.
            database: its number.
            nodes: this adapter's.
            desk: what they answer with.
        """
        self._broker = broker
        self._database = database
        self._nodes = nodes
        self._desk = desk
        self._announcements = Announcements()
        self._listeners = 0
        self._active: dict[str, int] = {}
        self._looked_at_s = 0.0

    async def beat(self) -> None:
        """Say that the nodes are online, and what has become of tasks. Raises RedisError."""
        listeners = await self._say_of_workers("worker-heartbeat")
        if listeners > self._listeners or not self._desk.events_enabled:
            self._announcements.forget()
        self._listeners = listeners
        if listeners and self._desk.events_enabled:
            await self._tell_of_tasks()

    async def leave(self) -> None:
        """Say that the nodes go offline. Raises RedisError."""
        await self._say_of_workers("worker-offline")

    async def _say_of_workers(self, type_: str) -> int:
        """Publish an event of each node. Returns how many listen."""
        about, load = self._desk.about, [round(load, 2) for load in os.getloadavg()]
        facts = {"freq": BEAT_S, "processed": 0, "loadavg": load}
        facts |= {"sw_ident": "pod-functions", "sw_ver": about.version, "sw_sys": "Linux"}
        async with self._broker.pipeline(transaction=False) as pipeline:
            for node in self._nodes:
                name = node.place.name
                event = self._complete({"type": type_, **facts, "active": self._active.get(node.queue, 0)}, name)
                self._publish(pipeline, type_.replace("-", "."), event, name)
            return int((await pipeline.execute())[-1])

    async def _tell_of_tasks(self) -> None:
        """Look at the jobs; the speaker of a queue tells what has become of them."""
        view = View(self._desk.reader)
        overview = await view.all()
        self._active = {node.queue: len(await node.active(view)) for node in self._nodes}
        speaking = [node for node in self._nodes if isinstance(node, JobNode) and node.place.is_speaker]
        if not speaking:
            self._announcements.forget()
            return
        records = await self._changed_records({record.id: record for record in (*overview.begun, *overview.waiting)})
        events = []
        for node in speaking:
            for record in records:
                if record.type in node.types:
                    name = node.place.names.get(overview.holder(record.id), node.place.name)
                    due = self._announcements.due(record, node.describe(record, overview))
                    events += [self._complete(event, name) for event in due]
        async with self._broker.pipeline(transaction=False) as pipeline:
            for start in range(0, len(events), AT_ONCE):
                self._publish(pipeline, "task.multi", events[start : start + AT_ONCE], speaking[0].place.name)
            if events:
                await pipeline.execute()

    async def _changed_records(self, live: dict[str, JobRecord]) -> list[JobRecord]:
        """The jobs that have not ended, and those that have, or may have, since the look before; oldest first."""
        now_s = float((await self._desk.jobs.time())[0])
        since_s = min(self._looked_at_s or now_s, now_s) - OVERLAP_S
        self._looked_at_s = now_s
        unseen = self._announcements.unseen(live)
        changed = await self._desk.reader.changed_since(since_s)
        others = await self._desk.reader.records(sorted({*unseen, *changed} - live.keys()))
        self._announcements.drop(set(unseen) - {record.id for record in others})
        return sorted([*live.values(), *others], key=lambda record: record.accepted_at_s)

    def _complete(self, event: dict[str, Any], name: str) -> dict[str, Any]:
        """What every event says. Without «utcoffset», by which Celery would shift its time."""
        common = {"timestamp": time.time(), "hostname": name, "pid": self._desk.about.pid}
        return {**common, "clock": self._desk.clock.forward(), **event}

    def _publish(self, pipeline: RedisClient, key: str, body: Any, name: str) -> None:
        sending = Sending(EVENTS, key, {"hostname": name})
        pipeline.publish(topic(self._database, EVENTS, key), write_message(body, sending))
