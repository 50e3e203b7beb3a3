"""JSON logs, one line per event, with the job and the step that it is about."""

import logging
import sys

import structlog


def configure_logs(component: str, level: str = "INFO") -> None:
    """Send all logs, ours and the libraries', to stderr as JSON lines.

    Args:
        component: the process that logs: `adapter`, `encoding`, ….
        level: lowest level that is written, by its standard name.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # without the frames' variables, which may contain secrets
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _add_component(component),
            structlog.processors.EventRenamer("message"),
            _put_first,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Their line per request adds nothing to our own.
    for noisy in ("httpx", "httpcore", "aiohttp.access", "faster_whisper", "botocore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _put_first(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Order the fields for people: time, level, component and message come first."""
    first = {name: event[name] for name in ("timestamp", "level", "component", "message") if name in event}
    return {**first, **event}


def _add_component(component: str) -> structlog.types.Processor:
    def add(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        event["component"] = component
        return event

    return add
