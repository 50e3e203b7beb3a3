"""Celery messages as kombu writes them. Pure.

Source: docs/contract-pod.md, tests/data/pod-4.1-messages.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any


def celery_message(
    task: str, arguments: Sequence[Any], keywords: Mapping[str, Any] | None = None, *, message_id: str, queue: str
) -> bytes:
    """Write the message that calls a task.

    Args:
        task: its full name.
        arguments: by position.
        keywords: by name.
        message_id: Celery's id of the task.
        queue: where the message goes.
    """
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([arguments, keywords or {}, embed]).encode()).decode()
    headers: dict[str, Any] = {
        "lang": "py", "task": task, "id": message_id, "shadow": None, "eta": None, "expires": None,
        "group": None, "group_index": None, "retries": 0, "timelimit": [None, None], "root_id": message_id,
        "parent_id": None, "argsrepr": repr(tuple(arguments))[:700], "kwargsrepr": repr(keywords or {}),
        "origin": "gen13991@pod", "ignore_result": False, "replaced_task_nesting": 0, "stamped_headers": None,
        "stamps": {},
    }  # fmt: skip
    properties = {
        "correlation_id": message_id, "reply_to": message_id, "delivery_mode": 2, "priority": 0,
        "delivery_info": {"exchange": "", "routing_key": queue}, "body_encoding": "base64",
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
