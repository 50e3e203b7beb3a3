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

import sys

# If OpenTelemetry is installed, redis-py loads its metrics, which nothing here uses: 60 ms of each start. Spans do
# without them.
sys.modules.setdefault("opentelemetry.sdk.metrics", None)  # type: ignore[arg-type]  # None: it cannot be imported
