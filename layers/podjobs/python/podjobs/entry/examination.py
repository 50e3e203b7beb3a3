"""What takes too long to be checked before a function starts: it is checked beside the first requests.

It begins with the first request, not with the start: functions-framework's server forks after that, and what is loaded
meanwhile, such as a speech model, belongs into the process that serves.
"""

import threading
from collections.abc import Callable, Iterable

import structlog

from podjobs.contract.errors import StepError

logger = structlog.get_logger(__name__)

Examine = Callable[[], Iterable[str]]
"""Finds out what an operator should change: a sentence for each fault. May raise StepError."""


class Examination:
    """Examines a function once, in a thread of its own."""

    def __init__(self, examine: Examine | None = None) -> None:
        """Create it; `begin` does the work.

        Args:
            examine: what is done; None: nothing.
        """
        self._examine = examine
        self._beginning = threading.Lock()
        self.findings: tuple[str, ...] = ()
        """Sentences for the operator; none while the examination is under way, or if all is well."""
        self.is_over = examine is None
        """Whether the findings are known."""

    def begin(self) -> None:
        """Begin, unless it was done before."""
        with self._beginning:
            examine, self._examine = self._examine, None
        if examine is not None:
            threading.Thread(target=self._run, args=(examine,), daemon=True).start()

    def finish(self) -> tuple[str, ...]:
        """Examine it now, for whoever does not start if something is wrong. Returns the findings, unlogged."""
        return _find(self._examine) if self._examine is not None else ()

    def _run(self, examine: Examine) -> None:
        self.findings = _find(examine)
        self.is_over = True
        for sentence in self.findings:
            logger.error(sentence)


def _find(examine: Examine) -> tuple[str, ...]:
    try:
        return tuple(examine())
    except StepError as error:
        return (error.detail,)
