"""What travels between the adapter and the function `xapi`: a batch of statements there, a report back.

Each statement of a batch has one of three outcomes:

    accepted   the LRS has it
    refused    a retry would not help: the report says what is wrong, and the statement becomes a dead letter
    kept       neither: the adapter keeps it and delivers it again; `trouble` says why, if something is wrong
"""

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from podjobs.contract.errors import Problem
from podjobs.contract.requests import Name, Request

XAPI_FUNCTION = "xapi"
BATCH_EVENT_TYPE = "fr.esup-portail.podjobs.statements"
REPORT_EVENT_TYPE = "fr.esup-portail.podjobs.statements-report"
BATCH_TIMEOUT_S = 120
"""Seconds one invocation may take; what the function has no time for is kept for the next one."""

Statement: TypeAlias = dict[str, Any]
"""An xAPI statement as a JSON object."""
EntryId = Annotated[str, Field(min_length=1, max_length=64)]


class StatementEntry(BaseModel):
    """A statement, and the id under which the adapter finds it in the report."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    entry_id: EntryId
    """Unique within the batch."""
    statement: Statement


class StatementBatch(Request):
    """Statements for the LRS: the data of a statements event."""

    batch_id: Annotated[str, Field(min_length=1, max_length=64)]
    entries: tuple[StatementEntry, ...] = Field(min_length=1)
    function: Name = XAPI_FUNCTION
    timeout_s: PositiveInt = BATCH_TIMEOUT_S

    @property
    def subject(self) -> str:
        """The event's subject."""
        return self.batch_id

    @property
    def log_context(self) -> dict[str, Any]:
        """What log lines about this batch carry."""
        return {"batch_id": self.batch_id, "statements": len(self.entries), "attempt": self.attempt}


class Refusal(BaseModel):
    """A statement that will never be accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    entry_id: EntryId
    problem: Problem


class BatchReport(BaseModel):
    """The outcome of a batch. The adapter keeps entries that it does not name, so omitting one loses nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    accepted: tuple[EntryId, ...] = ()
    refused: tuple[Refusal, ...] = ()
    trouble: Problem | None = None
    """Why the others are kept. Its status means the same as for a step: 503, nothing is wrong with the statements; 500,
    they may be the cause. None: there was not enough time for all."""
    needs_operator: bool = False
    """Whether the trouble lasts until an operator corrects a setting."""
    retry_after_s: NonNegativeFloat | None = None
    """Seconds after which the others may be delivered again; None: the adapter chooses."""
