"""Statements handed to the LRS as few requests as possible: a request that does not go through is halved. Pure.

all at once ──accepted──▶ done
├──conflict─────────▶ halves; alone: the LRS has it already, done
├──refused──────────▶ halves; alone: refused, with the LRS's reason
└──an error, or no time left: the rest is kept
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from podjobs.contract.errors import Problem, RetryableError
from podjobs.contract.ports import LrsAnswer
from podjobs.contract.statements import Refusal, Statement, StatementEntry

Post = Callable[[Sequence[Statement]], LrsAnswer]
"""Posts statements to the LRS. Raises RetryableError when nothing can be said of them."""


@dataclass
class Fates:
    """What became of statements; those named nowhere are kept."""

    accepted: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    trouble: RetryableError | None = None


def post_all(entries: Sequence[StatementEntry], post: Post, has_time: Callable[[], bool]) -> Fates:
    """Hand statements to the LRS.

    Args:
        entries: valid statements.
        post: posts some of them; see `Post`.
        has_time: tells whether one more request may be made.
    """
    fates = Fates()
    waiting = list(reversed(rounds_of(entries)))
    while waiting and has_time():
        group = waiting.pop()
        try:
            answer = post([entry.statement for entry in group])
        except RetryableError as error:
            fates.trouble = error
            break
        alone = len(group) == 1
        if answer.is_accepted or (answer.is_conflict and alone):
            fates.accepted += [entry.entry_id for entry in group]
        elif alone:
            problem = Problem(title="The LRS refused the statement.", status=answer.status, detail=answer.reason)
            fates.refused.append(Refusal(entry_id=group[0].entry_id, problem=problem))
        else:
            middle = len(group) // 2
            waiting += [group[middle:], group[:middle]]
    return fates


def rounds_of(entries: Sequence[StatementEntry]) -> list[list[StatementEntry]]:
    """Part statements so that no id stands twice in one request: an LRS refuses such a request whole.

    Source: xAPI 1.0.3, part 3, 2.1.2; ralph answers 400.
    """
    rounds: list[list[StatementEntry]] = []
    times: dict[str, int] = {}
    for entry in entries:
        statement_id = str(entry.statement.get("id")).lower()
        seen = times.get(statement_id, 0)
        times[statement_id] = seen + 1
        if seen == len(rounds):
            rounds.append([])
        rounds[seen].append(entry)
    return rounds
