"""What becomes of a step that does not find its job's source: whoever requested the job is asked, and the step waits.

Source: docs/decisions/0028; the script's part is lua/relocation.lua.
"""

import structlog

from adapter.redis_retry import retry_until_redis_answers
from adapter.steps.entries import ClaimedStep
from adapter.steps.records import Records
from podjobs.contract.errors import SOURCE_GONE, Problem
from podjobs.contract.workflows import LOCATE

logger = structlog.get_logger(__name__)


class SourceInquiry:
    """Inquires into sources that are gone; the answer is committed like any reply."""

    def __init__(self, records: Records) -> None:
        """Use the job records."""
        self._records = records

    async def begin(self, step: ClaimedStep, problem: Problem, *, is_last: bool) -> bool:
        """Make a step whose source is gone wait for the answer.

        Args:
            step: whose attempt failed.
            problem: why.
            is_last: whether that was its last attempt.

        Returns:
            False if this is not why it failed, or if it has no attempt left to wait for the answer.
        """
        if problem.type != SOURCE_GONE:
            return False
        trouble = problem.model_dump_json()
        outcome = await retry_until_redis_answers(
            lambda: self._records.miss_source(step, trouble, is_last=is_last), "inquire into a missing source"
        )
        logger.warning("A step does not find its source.", outcome=outcome, reason=problem.detail)
        return outcome != "exhausted"

    async def give_up(self, step: ClaimedStep, problem: Problem) -> bool:
        """Go on without an answer: the steps that miss the source are tried again. False if the step does not ask."""
        if step.spec.action != LOCATE:
            return False
        logger.warning("It cannot be found out where a source is.", reason=problem.detail)
        await retry_until_redis_answers(lambda: self._records.answer_nothing(step, problem), "end an inquiry")
        return True
