"""The addresses of dead letters.

GET  /dead            what could not be processed, by conditions
GET  /dead/confirm    which of them an action would change; POST /dead/change does it
"""

from aiohttp import web

from adapter.page.actions import MOST
from adapter.page.dead_letters import (
    AMONG,
    find_dead_letters,
    is_entry,
    read_dead_letter_conditions,
    view_dead_letters,
)
from adapter.page.documents import Documents
from adapter.redis.connections import RedisClient
from adapter.steering.dead_letters import DeadLetterSteering

ACTIONS = frozenset({"replay", "drop"})


class DeadLetterRoutes:
    """Answers requests that were admitted. All methods raise RedisError."""

    def __init__(self, documents: Documents, redis: RedisClient, steering: DeadLetterSteering) -> None:
        """Use the jobs' database."""
        self._documents = documents
        self._redis = redis
        self._steering = steering

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The list."""
        conditions = read_dead_letter_conditions(request.query)
        view = None if conditions.faults else await view_dead_letters(self._redis, conditions.filter)
        return self._documents.answer(request, "dead", conditions=conditions, view=view, among=AMONG)

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        """Show what an action would change: one entry, or those that match."""
        action = _action(request.query.get("action"))
        conditions = read_dead_letter_conditions(request.query)
        chosen = []
        if entry := request.query.get("entry"):
            letter = await self._steering.reader.get(entry) if is_entry(entry) else None
            chosen = [letter] if letter else []
        elif not conditions.faults:
            chosen = await find_dead_letters(self._redis, conditions.filter)
        return self._documents.answer(
            request,
            "dead_confirm",
            action=action,
            conditions=conditions,
            chosen=chosen[:MOST],
            left_out=max(0, len(chosen) - MOST),
        )

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Replay or drop entries."""
        form = await request.post()
        action = _action(form.get("action"))
        ids = [entry for entry in form.getall("entry", []) if isinstance(entry, str) and is_entry(entry)][:MOST]
        outcome = await (self._steering.replay(ids) if action == "replay" else self._steering.drop(ids))
        return self._documents.answer(request, "dead_changed", outcome=outcome, action=action)


def _action(name: object) -> str:
    if not isinstance(name, str) or name not in ACTIONS:
        raise web.HTTPNotFound
    return name
