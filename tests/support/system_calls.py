"""Does something at a chosen system call of the code under test: at each in turn, every order of events is tried."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

MODULES = {"posix", "io", "_io", "_socket"}


@contextlib.contextmanager
def at_system_call(number: int, action: Callable[[], object]) -> Iterator[list[int]]:
    """Perform an action once, right before a system call of this thread.

    Args:
        number: which call, from 0.
        action: what to do.

    Yields:
        A list that holds the number of calls so far.
    """
    calls = [0]

    def watch(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and (called.__module__ or type(called.__self__).__module__) in MODULES:
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
