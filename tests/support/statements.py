"""Statements and messages for tests, as Pod writes them."""

from benchmarks.xapi_messages import celery_message, messages_of, new_statement
from podjobs.contract.statements import StatementBatch, StatementEntry

__all__ = ["batch_of", "celery_message", "entries_of", "messages_of", "new_statement"]


def entries_of(*statements):
    return tuple(StatementEntry(entry_id=f"1-{number}", statement=one) for number, one in enumerate(statements))


def batch_of(*statements, **more):
    return StatementBatch(batch_id="b", entries=entries_of(*statements), **more)
