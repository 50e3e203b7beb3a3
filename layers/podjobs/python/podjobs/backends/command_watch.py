"""Looks after a running command: whether what it does is still wanted."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from podjobs.contract.errors import StepError

WATCH_EVERY_S = 2.0
LOOK_GRACE_S = 0.5
"""How long a look may outlive the command: a shared folder may not answer."""


@contextlib.contextmanager
def watching(look: Callable[[], None] | None, stop: Callable[[], None]) -> Iterator[None]:
    """Repeat a look, in a thread, while a command runs.

    Args:
        look: raises a StepError once the command should be stopped; None: nobody looks.
        stop: stops the command.

    Raises:
        StepError: the look's, if there was one.
    """
    if look is None:
        yield
        return
    ended, raised = threading.Event(), list[StepError]()

    def repeat() -> None:
        while not ended.wait(WATCH_EVERY_S):
            try:
                look()
            except StepError as error:
                raised.append(error)
                stop()
                return

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(LOOK_GRACE_S)
        if raised:
            raise raised[0]
