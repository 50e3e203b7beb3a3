"""Spans of a function's steps and of their commands, for OpenTelemetry, if it is configured and installed.

Configured as its libraries are, by OTEL_EXPORTER_OTLP_ENDPOINT and other variables. Not configured, nothing of it is
loaded, and log lines have the `trace_id` all the same.

Source: OpenTelemetry, «Environment Variable Specification», «OpenTelemetry Protocol Exporter».
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from podjobs.contract.traces import TraceContext

logger = structlog.get_logger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but no spans are sent: the packages opentelemetry-sdk and "
    "opentelemetry-exporter-otlp-proto-http are not installed. Install requirements-otel.txt, or remove the variable."
)
FLUSH_MS = 2000
_ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether spans are to be sent.

    Args:
        environment: of the process.
    """
    is_disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    is_off = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none"
    return not is_disabled and not is_off and any(environment.get(name) for name in ENDPOINTS)


def open_provider(component: str, ids: Any = None) -> Any:
    """What takes spans and sends them, in a thread of its own; None: the packages are missing, which is logged.

    Args:
        component: `adapter`, `encoding`, …: the service is called `podjobs-` and that, unless OTEL_SERVICE_NAME is set.
        ids: a generator of ids; None: random ones.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - optional, and slow to load
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - likewise
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - likewise
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - likewise
    except ImportError:
        logger.warning(MISSING)
        return None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": f"podjobs-{component}"}
    provider = TracerProvider(resource=Resource.create(named), id_generator=ids)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class StepSpans:
    """The spans of one function."""

    def __init__(self, component: str, provider: Any = None) -> None:
        """Create it.

        Args:
            component: the function.
            provider: takes the spans; None: one is opened by the first step, in the process that performs it, if the
                environment wants it.
        """
        self._component = component
        self._opening = threading.Lock()
        self._provider = provider
        self._is_open = provider is not None

    @contextmanager
    def step(self, name: str, traceparent: str, attributes: Mapping[str, Any]) -> Iterator[None]:
        """Perform a step inside, whose span is the current one then.

        Args:
            name: of the span.
            traceparent: of the attempt, as the adapter says it; empty or invalid: the step belongs to no trace, and has
                no span.
            attributes: of the span.
        """
        context = TraceContext.read(traceparent)
        provider = self._open() if context else None
        if context is None or provider is None:
            yield
            return
        try:
            with _server_span(provider, name, context, attributes):
                yield
        finally:
            if os.environ.get(_ON_LAMBDA):  # the process is frozen from here to the next step
                provider.force_flush(FLUSH_MS)

    def _open(self) -> Any:
        with self._opening:
            if not self._is_open:
                self._provider = open_provider(self._component) if is_wanted(os.environ) else None
                self._is_open = True
            return self._provider


_tracer: ContextVar[Any] = ContextVar("tracer", default=None)
"""Of the step that this thread performs."""


@contextmanager
def _server_span(provider: Any, name: str, parent: TraceContext, attributes: Mapping[str, Any]) -> Iterator[None]:
    from opentelemetry import trace  # noqa: PLC0415 - there is a provider, so it is loaded

    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if parent.is_sampled else trace.TraceFlags.DEFAULT)
    above = trace.SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    tracer = provider.get_tracer("podjobs.function")
    token = _tracer.set(tracer)
    try:
        context = trace.set_span_in_context(trace.NonRecordingSpan(above))
        with _span(tracer, name, context=context, kind=trace.SpanKind.SERVER, attributes=dict(attributes)):
            yield
    finally:
        _tracer.reset(token)


@contextmanager
def command_span(name: str) -> Iterator[None]:
    """Run a command inside, as a part of the step that this thread performs.

    Args:
        name: of the command, without its arguments: they may contain URLs that grant access.
    """
    tracer = _tracer.get()
    if tracer is None:
        yield
        return
    with _span(tracer, name):
        yield


@contextmanager
def _span(tracer: Any, name: str, **about: Any) -> Iterator[None]:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - there is a tracer, so it is loaded

    # the text of an error may contain such URLs, too: its class is enough
    quiet = {"record_exception": False, "set_status_on_exception": False}
    with tracer.start_as_current_span(name, **about, **quiet) as span:
        try:
            yield
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
