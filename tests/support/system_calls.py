"""Does something at a chosen system call of the code under test: at each in turn, every order of events is tried."""

import contextlib
import sys
from collections.abc import Callable, Container, Iterator
from types import FrameType
from typing import Any

MODULES = {"posix", "io", "_io", "_socket", "socket"}


class _Anything:
    """Contains whatever is looked for."""

    def __contains__(self, _name: object) -> bool:
        return True


ANY: Container[str] = _Anything()
REQUESTS = frozenset({"sendall", "recv_into"})
"""The calls that matter to a server: before a request, and before its answer is known."""


@contextlib.contextmanager
def at_system_call(number: int, action: Callable[[], object], names: Container[str] = ANY) -> Iterator[list[int]]:
    """Perform an action once, right before a system call of this thread.

    Args:
        number: which call, from 0.
        action: what to do.
        names: the calls that count.

    Yields:
        A list that holds the number of calls so far.
    """
    calls = [0]

    def watch(_frame: FrameType, event: str, called: Any) -> None:
        module = event == "c_call" and (called.__module__ or type(called.__self__).__module__)
        if module in MODULES and called.__name__ in names:
            calls[0] += 1
            if calls[0] == number + 1:
                action()

    sys.setprofile(watch)  # not called while the action is performed
    try:
        yield calls
    finally:
        sys.setprofile(None)


def at_each_system_call(attempt: Callable[[int], int], step: int = 1) -> int:
    """Repeat an attempt with an ever later call until it has no call that late.

    Args:
        attempt: given the call's number; returns how many calls it made.
        step: from one number to the next.

    Returns:
        How many calls there are.
    """
    number = 0
    while attempt(number) > number:
        number += step
    return number
