"""The adapter: reads Pod's jobs and statements, stores them in Redis, and delivers them to the functions.

One package per subject; process.py builds all parts and connects them:

    door/         where Pod's messages come in
    steps/        jobs and their steps: records, dispatch, reclaim
    statements/   xAPI statements: store, batches, dispatch
    delivery/     how a function is invoked
    operator/     the operator's commands and the HTTP server's routes
    page/         the web page for administrators
    remote_control/  Celery's inspect and control
    checks/       what `podjobs check` examines
    alerts/       mail to administrators
    telemetry/    metrics and traces
    inspection/   what is read about jobs, steps, dead letters and adapters
    steering/     what operators change: cancel, retry, pause, drain, replay
    redis/        connections, keys, streams, heartbeats

A package knows only those below it: see import-linter's contracts in pyproject.toml.
"""

import os
import sys

# If OpenTelemetry is installed, redis-py loads its metrics, which nothing here uses: 40 ms of each start. Traces need
# the first of these modules, and have it back (adapter/telemetry); they do without the second, 60 ms more.
for _module in ("opentelemetry.metrics", "opentelemetry.sdk.metrics"):
    sys.modules.setdefault(_module, None)  # type: ignore[arg-type]  # None: it cannot be imported
# Else pydantic looks for its plugins in the description of every package that is installed: 20 ms of each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
