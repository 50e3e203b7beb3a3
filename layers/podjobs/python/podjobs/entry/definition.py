"""Definitions of deployables, and how one becomes something that serves requests.

A deployable's `main.py` holds a definition and one line, `__getattr__ = entry_points(definition)`. Importing it does
nothing else: settings are read, logs configured and backends connected when an entry point is looked up by its name,
which functions-framework does when its process starts.

Source: PEP 562 (`__getattr__` of a module).
"""

import functools
import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from podjobs.contract.looks import Look
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.entry.endpoint import Endpoint, Handler
from podjobs.entry.renewal import RenewedHandler
from podjobs.entry.traced import TracedHandler
from podjobs.logs import configure_logs
from podjobs.secret_store.held import held_secrets
from podjobs.settings import EndpointSettings, SettingsError, load_settings
from podjobs.tracing import StepSpans

logger = structlog.get_logger(__name__)

SettingsT = TypeVar("SettingsT", bound=EndpointSettings)

LAMBDA_ENTRY_POINT = "handle_invocation"
ENTRY_POINTS = {
    "handle": "podjobs.entry.http:http_handler",
    "handle_message": "podjobs.entry.messages:message_handler",
    LAMBDA_ENTRY_POINT: "podjobs.entry.aws_lambda:invocation_handler",
}
"""The entry points of every deployable: the name that a transport's runtime looks up, and what creates it. That is
imported only then: one transport needs no other's libraries."""


class StartError(Exception):
    """Why a function cannot start. Lambda tells its caller what was raised, not what a process says at its end."""


@dataclass(frozen=True)
class FunctionDefinition(Generic[SettingsT, RequestT, ReplyT]):
    """A deployable."""

    name: str
    contract: MessageContract[RequestT, ReplyT]
    """Its requests and replies."""
    settings: type[SettingsT]
    build: Callable[[SettingsT], tuple[Handler[RequestT, ReplyT], int]]
    """Connects the handler to its backends; returns it and how many requests it handles in parallel."""
    check: Callable[[SettingsT], str] | None = None
    """Says what an operator should change, though the function works; empty: nothing. Takes a moment."""
    examine: Callable[[Any], Iterable[str]] | None = None
    """Says more, a sentence for each fault, given the handler. May take long: it is done beside the first requests."""
    examined: str = ""
    """What `examine` finds out about, such as `speech models`."""
    looks: Callable[[SettingsT], Sequence[Look]] | None = None
    """What is looked at when an operator asks how the function is; None: only what is said above."""
    workers: int | None = None
    """RQ workers of a server, unless it is told otherwise; each is a process. None: as many as there are slots."""
    worker_memory_mb: int = 1024
    """Memory with which a worker's process is replaced, unless a setting says otherwise, in MiB; 0: never."""


def open_endpoint(
    definition: FunctionDefinition[SettingsT, RequestT, ReplyT],
) -> tuple[Endpoint[RequestT, ReplyT], SettingsT]:
    """Create a function's endpoint: read its settings, configure the logs, connect its backends.

    Returns it with the settings, some of which are for its transport.
    Invalid settings end the process, with all faults in one message; so do settings that do not suit this machine.
    """
    try:
        settings = load_settings(definition.settings)
        configure_logs(definition.name, settings.podjobs_log_level)
        handler, slots = definition.build(settings)
    except SettingsError as error:
        sys.exit(f"The function {definition.name!r} cannot start. {error}")
    examine = functools.partial(definition.examine, handler) if definition.examine else None

    def rebuild(new: SettingsT) -> Handler[RequestT, ReplyT]:
        rebuilt, _ = definition.build(new)
        endpoint.start_advice = _advise(definition, new)
        _set_looks(endpoint, definition, new)
        return rebuilt

    if held := held_secrets():
        load = functools.partial(load_settings, definition.settings)
        handler = RenewedHandler(held, settings, handler, load, rebuild)
    handler = TracedHandler(handler, StepSpans(definition.name))
    advice = _advise(definition, settings)
    endpoint = Endpoint(definition.name, definition.contract, handler, slots, advice=advice, examine=examine)
    _set_looks(endpoint, definition, settings)
    return endpoint, settings


def _set_looks(
    endpoint: Endpoint[RequestT, ReplyT], definition: FunctionDefinition[SettingsT, RequestT, ReplyT], now: SettingsT
) -> None:
    """Have the endpoint look at what the settings say now, which rotated secrets may change."""
    endpoint.examined = definition.examined
    if definition.looks:
        endpoint.looks = functools.partial(definition.looks, now)


def _advise(definition: FunctionDefinition[SettingsT, RequestT, ReplyT], settings: SettingsT) -> str:
    advice = definition.check(settings) if definition.check else ""
    if advice:
        logger.warning(advice)
    return advice


def entry_points(definition: FunctionDefinition[SettingsT, RequestT, ReplyT]) -> Callable[[str], Any]:
    """Create the `__getattr__` of a deployable's module, which creates each entry point when it is first looked up."""

    @functools.cache
    def entry_point(name: str) -> Any:
        if name not in ENTRY_POINTS:
            raise AttributeError(f"The function {definition.name!r} has no entry point {name!r}.")
        try:
            endpoint, settings = open_endpoint(definition)
        except AttributeError as error:
            # unchanged, it would mean that there is no such entry point
            raise RuntimeError(f"The function {definition.name!r} cannot start: {error}") from error
        except SystemExit as error:
            if name == LAMBDA_ENTRY_POINT:
                raise StartError(str(error)) from None
            raise
        module, _, creator = ENTRY_POINTS[name].partition(":")
        return getattr(importlib.import_module(module), creator)(endpoint, settings)

    return entry_point
