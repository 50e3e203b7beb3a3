"""What is told to monitoring: numbers for Prometheus, spans for OpenTelemetry. Nothing depends on it."""

import sys

import redis  # noqa: F401 - what follows is for whoever comes after it

# adapter/__init__.py has kept it from redis-py, which is loaded now; traces need it.
if sys.modules.get("opentelemetry.metrics", sys) is None:
    del sys.modules["opentelemetry.metrics"]
