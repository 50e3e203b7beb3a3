"""Many dead letters at once: those that are named are replayed, or dropped."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from adapter.inspection.dead_letter_reader import DeadLetter, DeadLetterReader
from adapter.steering.replay import ReplayError, ReplayTargets, replay_dead_letter
from adapter.steering.selection import BulkOutcome
from adapter.steps.versions import NewerRecordError

GONE = "There is no such entry any more."


@dataclass(frozen=True, slots=True)
class DeadLetterSteering:
    """Changes dead letters. All methods raise RedisError: some of them may have been changed."""

    reader: DeadLetterReader
    targets: ReplayTargets

    async def replay(self, ids: Iterable[str]) -> BulkOutcome:
        """Process entries again, the oldest first; one that cannot be is left as it is."""

        async def again(letter: DeadLetter) -> str:
            try:
                await replay_dead_letter(letter, self.targets)
            except (ReplayError, NewerRecordError) as error:
                return str(error)
            return ""

        return await self._each(ids, again)

    async def drop(self, ids: Iterable[str]) -> BulkOutcome:
        """Delete entries for good; the records of their jobs are kept."""

        async def delete(letter: DeadLetter) -> str:
            return "" if await self.reader.delete(letter.id) else GONE

        return await self._each(ids, delete)

    async def _each(self, ids: Iterable[str], change: Callable[[DeadLetter], Awaitable[str]]) -> BulkOutcome:
        outcome = BulkOutcome()
        for letter_id in sorted(ids, key=_order):
            letter = await self.reader.get(letter_id)
            refusal = await change(letter) if letter else GONE
            if refusal:
                outcome.refused[letter_id] = refusal
            else:
                outcome.done.append(letter_id)
        return outcome


def _order(letter_id: str) -> tuple[int, int]:
    """When an entry came: ids are two numbers."""
    at_ms, _, number = letter_id.partition("-")
    return int(at_ms), int(number)
