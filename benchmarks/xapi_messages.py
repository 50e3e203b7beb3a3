"""Statements as Pod's player writes them, and the Celery messages that carry them. Pure.

Source: docs/contract-pod.md, tests/data/pod-4.1-messages/xapi_played.json.
"""

import base64
import json
import uuid
from typing import Any

from adapter.door.statement_intake import STATEMENT_TASK

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


def celery_message(statement: dict[str, Any], message_id: str) -> bytes:
    """The message that carries a statement, as kombu writes it."""
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([[statement], {}, embed]).encode()).decode()
    headers: dict[str, Any] = {
        "lang": "py", "task": STATEMENT_TASK, "id": message_id, "shadow": None, "eta": None, "expires": None,
        "group": None, "group_index": None, "retries": 0, "timelimit": [None, None], "root_id": message_id,
        "parent_id": None, "argsrepr": repr((statement,))[:700], "kwargsrepr": "{}", "origin": "gen13991@pod",
        "ignore_result": False, "replaced_task_nesting": 0, "stamped_headers": None, "stamps": {},
    }  # fmt: skip
    properties = {
        "correlation_id": message_id, "reply_to": message_id, "delivery_mode": 2, "priority": 0,
        "delivery_info": {"exchange": "", "routing_key": "xapi"}, "body_encoding": "base64",
        "delivery_tag": message_id,
    }  # fmt: skip
    message = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(message).encode()


def messages_of(first: int, count: int, seed: int = 0) -> list[bytes]:
    """Messages with the statements of so many numbers."""
    statements = (new_statement(number, seed) for number in range(first, first + count))
    return [celery_message(statement, str(uuid.uuid5(uuid.NAMESPACE_URL, statement["id"]))) for statement in statements]
