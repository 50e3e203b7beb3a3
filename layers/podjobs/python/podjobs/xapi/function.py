"""The xapi function: posts a batch of statements to the learning record store and reports what became of each."""

import time
from collections.abc import Sequence

import structlog

from podjobs.contract.errors import InvalidRequestError, NotNowError, OperatorNeededError, Problem
from podjobs.contract.ports import Lrs
from podjobs.contract.statements import BatchReport, Refusal, StatementBatch, StatementEntry
from podjobs.xapi.anonymise import Anonymiser
from podjobs.xapi.bisection import post_with_bisection
from podjobs.xapi.statements import check_statement

logger = structlog.get_logger(__name__)


class XapiFunction:
    """Posts batches."""

    def __init__(self, lrs: Lrs, anonymiser: Anonymiser | None, longest_request_s: float) -> None:
        """Create the function.

        Args:
            lrs: the learning record store.
            anonymiser: replaces persons with pseudonyms; None: statements are not changed.
            longest_request_s: seconds one request to the LRS may take: none is started with less time left.
        """
        self._lrs = lrs
        self._anonymiser = anonymiser
        self._longest_request_s = longest_request_s

    def handle(self, batch: StatementBatch) -> BatchReport:
        """Post a batch to the LRS; safe to repeat, as the LRS knows statements by their ids."""
        start_until = time.monotonic() + max(batch.timeout_s - self._longest_request_s, 0.0)
        valid, invalid = _check_all(batch.entries)
        if self._anonymiser:
            anonymise = self._anonymiser.anonymise
            valid = [StatementEntry(entry_id=entry.entry_id, statement=anonymise(entry.statement)) for entry in valid]
        outcome = post_with_bisection(valid, self._lrs.post, lambda: time.monotonic() <= start_until)
        trouble = outcome.trouble
        if trouble:
            log = logger.error if isinstance(trouble, OperatorNeededError) else logger.warning
            log("Statements are kept.", reason=trouble.detail)
        return BatchReport(
            accepted=tuple(outcome.accepted),
            refused=(*invalid, *outcome.refused),
            trouble=Problem.of(trouble) if trouble else None,
            needs_operator=isinstance(trouble, OperatorNeededError),
            retry_after_s=trouble.retry_after_s if isinstance(trouble, NotNowError) else None,
        )


def _check_all(entries: Sequence[StatementEntry]) -> tuple[list[StatementEntry], list[Refusal]]:
    """Split statements into those that may be sent and those that no LRS would accept."""
    valid, invalid = [], []
    for entry in entries:
        try:
            check_statement(entry.statement)
            valid.append(entry)
        except InvalidRequestError as error:
            invalid.append(Refusal(entry_id=entry.entry_id, problem=Problem.of(error)))
    return valid, invalid
