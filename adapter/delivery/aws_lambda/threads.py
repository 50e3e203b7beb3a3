"""Blocking calls beside an event loop."""

import asyncio
import functools
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

ResultT = TypeVar("ResultT")


def call_in_thread(call: Callable[[], ResultT], name: str) -> "asyncio.Future[ResultT]":
    """Make a call in a thread of its own; the future gets its result, or what it raises.

    Unlike those of an executor, the thread is a daemon: neither a process that ends nor a future that is cancelled
    waits for a call that takes minutes.

    Args:
        call: may block.
        name: of the thread, for whoever looks at the process.

    Raises:
        RuntimeError: the system has no more threads.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[ResultT] = loop.create_future()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the result
            _settle(loop, future, functools.partial(future.set_exception, error))
        else:
            _settle(loop, future, functools.partial(future.set_result, result))

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _settle(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[ResultT]", settle: Callable[[], None]) -> None:
    def settle_if_awaited() -> None:
        if not future.done():
            settle()

    with suppress(RuntimeError):  # the loop has been closed meanwhile: nobody waits any more
        loop.call_soon_threadsafe(settle_if_awaited)
