"""A batch is as good as each of its statements: a fault of one is not the fault of the others."""

from structlog.testing import capture_logs

from podjobs.contract.ports.lrs import LrsAnswer
from podjobs.contract.statements import Statement
from podjobs.xapi.anonymise import Anonymiser
from podjobs.xapi.function import XapiFunction
from support.statements import batch_of, new_statement


class Lrs:
    """Accepts everything."""

    def __init__(self):
        self.has = []

    def post(self, statements):
        self.has += statements
        return LrsAnswer(200)


class FaultyAnonymiser(Anonymiser):
    """Has a bug that one statement shows."""

    def anonymise(self, statement: Statement) -> Statement:
        if statement["id"] == new_statement(1)["id"]:
            raise ZeroDivisionError("mailto:anne@univ.fr")
        return statement


def test_handle_unforeseen_fault_with_a_statement_refuses_it_alone_unsent_and_logs_the_traceback():
    lrs = Lrs()
    with capture_logs() as logs:
        report = XapiFunction(lrs, FaultyAnonymiser("key"), 1).handle(
            batch_of(*(new_statement(number) for number in range(3)))
        )
    assert lrs.has == [new_statement(0), new_statement(2)]
    assert report.accepted == ("1-0", "1-2")
    (refusal,) = report.refused
    assert refusal.entry_id == "1-1"
    assert "ZeroDivisionError" in refusal.problem.detail
    assert "anne" not in refusal.problem.detail
    assert [line["log_level"] for line in logs if line.get("exc_info")] == ["error"]
