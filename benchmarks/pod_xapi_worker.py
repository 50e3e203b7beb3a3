"""Pod's way: a Celery worker that posts one statement a request, on a connection of its own, and loses it on an error.

`celery -A benchmarks.pod_xapi_worker worker --concurrency 1 --queues xapi`

Source: Esup-Pod 4.1, pod/xapi/xapi_tasks.py: `requests.post` without a session. The standard library's client does the
same with less overhead.
"""

import base64
import http.client
import json
import os
from typing import Any
from urllib.parse import urlsplit

from celery import Celery

from adapter.door.statement_intake import STATEMENT_TASK
from support.lrs import LOGIN, PASSWORD

app = Celery("pod", broker=os.environ["XAPI_CELERY_BROKER_URL"])
URL = urlsplit(os.environ["XAPI_LRS_URL"])


@app.task(name=STATEMENT_TASK)  # type: ignore[untyped-decorator]  # Celery has no annotations
def send_xapi_statement_task(statement: dict[str, Any]) -> None:
    """Post a statement."""
    credentials = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}
    connection = http.client.HTTPConnection(URL.hostname or "127.0.0.1", URL.port)
    connection.request("POST", URL.path, json.dumps(statement), headers)
    connection.getresponse().read()
    connection.close()
