"""Asks the LRS whether it takes statements with this login, by giving it none."""

from collections.abc import Callable

from podjobs.contract.looks import LRS, Look, found
from podjobs.contract.ports.lrs import Lrs


def lrs_looks(open_lrs: Callable[[], Lrs]) -> list[Look]:
    """What to look at.

    Args:
        open_lrs: connects to the learning record store, with a short patience.
    """

    def ask() -> list:  # type: ignore[type-arg]
        # an empty list stores nothing anywhere, but whoever may not post is told so first
        open_lrs().post([])
        return [found(LRS, "statements endpoint", "", "It takes statements with XAPI_LRS_LOGIN.")]

    return [Look(LRS, "statements endpoint", ask)]
