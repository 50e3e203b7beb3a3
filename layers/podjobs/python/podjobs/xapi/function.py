"""The xapi function: posts a batch of statements to the learning record store and reports what became of each."""

import time
from collections.abc import Sequence

import structlog

from podjobs.contract.errors import InvalidRequestError, NotNowError, OperatorNeededError, Problem, StepError
from podjobs.contract.ports.lrs import Lrs
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
        valid, invalid = self._prepare_all(batch.entries)
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

    def _prepare_all(self, entries: Sequence[StatementEntry]) -> tuple[list[StatementEntry], list[Refusal]]:
        """Split statements into those that may be sent, ready to be sent, and those that no LRS would accept."""
        ready, refused = [], []
        for entry in entries:
            try:
                ready.append(self._prepare(entry))
            except InvalidRequestError as error:
                refused.append(Refusal(entry_id=entry.entry_id, problem=Problem.of(error)))
            except Exception as error:
                # A blind catch: whatever a statement holds, it must not fail the others of its batch. It is not sent,
                # since an error while names are replaced would otherwise publish them.
                logger.exception("Internal error while a statement was read. It becomes a dead letter.")
                detail = f"The statement cannot be read: {type(error).__name__}. The function's log has the traceback."
                problem = Problem(title="Internal error.", status=int(StepError.status), detail=detail)
                refused.append(Refusal(entry_id=entry.entry_id, problem=problem))
        return ready, refused

    def _prepare(self, entry: StatementEntry) -> StatementEntry:
        """Check a statement, and replace persons in it if so configured. Raises InvalidRequestError."""
        check_statement(entry.statement)
        if self._anonymiser is None:
            return entry
        return StatementEntry(entry_id=entry.entry_id, statement=self._anonymiser.anonymise(entry.statement))
