"""Posts statements to the LRS in as few requests as possible: a request that is refused is split in half. Pure.

A refusal holds for a request as a whole, although one statement may be the cause of it:

    all of them ──accepted──▶ done
        ├──conflict─────────▶ halves; of a single statement: the LRS has it already, done
        ├──refused──────────▶ halves; of a single statement: refused, with the LRS's reason
        └──an error, or no time left: the rest is kept
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from podjobs.contract.errors import Problem, RetryableError
from podjobs.contract.ports.lrs import LrsAnswer
from podjobs.contract.statements import Refusal, Statement, StatementEntry

Post = Callable[[Sequence[Statement]], LrsAnswer]
"""Posts statements to the LRS in one request. Raises RetryableError when the response says nothing about them."""


@dataclass
class PostOutcome:
    """What became of the statements; those it does not name are kept."""

    accepted: list[str] = field(default_factory=list)
    """Ids of entries."""
    refused: list[Refusal] = field(default_factory=list)
    trouble: RetryableError | None = None
    """Why the others are kept; None: there was no time for them."""


def post_with_bisection(entries: Sequence[StatementEntry], post: Post, has_time: Callable[[], bool]) -> PostOutcome:
    """Post statements to the LRS.

    Args:
        entries: valid statements.
        post: posts some of them; see `Post`.
        has_time: whether one more request may be made.
    """
    outcome = PostOutcome()
    stack = list(reversed(split_repeated_ids(entries)))
    while stack and has_time():
        group = stack.pop()
        try:
            answer = post([entry.statement for entry in group])
        except RetryableError as error:
            outcome.trouble = error
            break
        is_single = len(group) == 1
        if answer.is_accepted or (answer.is_conflict and is_single):
            outcome.accepted += [entry.entry_id for entry in group]
        elif is_single:
            problem = Problem(title="The LRS refused the statement.", status=answer.status, detail=answer.reason)
            outcome.refused.append(Refusal(entry_id=group[0].entry_id, problem=problem))
        else:
            middle = len(group) // 2
            stack += [group[middle:], group[:middle]]
    return outcome


def split_repeated_ids(entries: Sequence[StatementEntry]) -> list[list[StatementEntry]]:
    """Split entries into requests in which no statement id occurs twice: an LRS refuses such a request as a whole.

    Source: xAPI 1.0.3, part 3, 2.1.2; ralph answers 400.
    """
    requests: list[list[StatementEntry]] = []
    occurrences: dict[str, int] = {}
    for entry in entries:
        statement_id = str(entry.statement.get("id")).lower()
        earlier = occurrences.get(statement_id, 0)
        occurrences[statement_id] = earlier + 1
        if earlier == len(requests):
            requests.append([])
        requests[earlier].append(entry)
    return requests
