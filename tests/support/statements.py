"""Statements as Pod's player writes them, and what carries them. Pure.

Source: docs/contract-pod.md, tests/data/pod-4.1-messages/xapi_played.json.
"""

import uuid
from typing import Any

from adapter.door.statement_intake import STATEMENT_TASK
from podjobs.contract.statements import StatementBatch, StatementEntry
from support.celery_messages import celery_message

VIEWERS = 200


def new_statement(number: int, seed: int = 0) -> dict[str, Any]:
    """The statement of a number; the same for the same seed."""
    viewer = uuid.uuid5(uuid.NAMESPACE_OID, f"viewer {number % VIEWERS}").hex
    return {
        "actor": {"name": viewer, "mbox": f"mailto:{viewer}@pod.example.org"},
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"statement {seed} {number}")),
        "verb": {"id": "https://w3id.org/xapi/video/verbs/played", "display": {"en-US": "played"}},
        "timestamp": f"2026-11-24T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "object": {
            "definition": {
                "type": "https://w3id.org/xapi/video/activity-type/video",
                "name": {"fr": f"{number % 50:04d}-vidéo-d’essai"},
                "description": {"fr": "Vidéo d’essai du banc — « rig »"},
            },
            "id": f"http://pod.example.org/video/{number % 50:04d}-rig/",
            "objectType": "Activity",
        },
        "context": {
            "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}]},
            "extensions": {
                "https://w3id.org/xapi/video/extensions/session-id": str(uuid.uuid5(uuid.NAMESPACE_OID, viewer)),
                "https://w3id.org/xapi/video/extensions/length": "10.600",
            },
            "registration": str(uuid.uuid5(uuid.NAMESPACE_URL, viewer)),
        },
        "result": {"extensions": {"https://w3id.org/xapi/video/extensions/time": "1.500"}},
    }


def message_of(statement: Any, message_id: str) -> bytes:
    """The Celery message that carries a statement."""
    return celery_message(STATEMENT_TASK, [statement], message_id=message_id, queue="xapi")


def messages_of(first: int, count: int, seed: int = 0) -> list[bytes]:
    """Messages with the statements of so many numbers."""
    statements = (new_statement(number, seed) for number in range(first, first + count))
    return [message_of(statement, str(uuid.uuid5(uuid.NAMESPACE_URL, statement["id"]))) for statement in statements]


def entries_of(*statements: dict[str, Any]) -> tuple[StatementEntry, ...]:
    """Statements as they lie in the stream."""
    return tuple(StatementEntry(entry_id=f"1-{number}", statement=one) for number, one in enumerate(statements))


def batch_of(*statements: dict[str, Any], **more: Any) -> StatementBatch:
    """Statements as the function gets them."""
    return StatementBatch(batch_id="b", entries=entries_of(*statements), **more)
