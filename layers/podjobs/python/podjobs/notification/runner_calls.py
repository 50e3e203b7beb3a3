"""What is known of the calls to a runner client, and what to do next. Pure.

    no call yet ──▶ held until the client has stored our answer ──▶ call
    under way, or its answer is lost ──▶ wait until it cannot run any more ──▶ call (a repeat heals)
    answered 2xx ─┬─ V5, or a failure was told ─────────▶ done
      │           └─ V4: has it fetched the results? ───▶ done
      │                  └── no ──▶ wait ──▶ call again, at ever longer intervals ──▶ give up
      └── and it has requested the same since ──▶ held, and called again
    answered otherwise ──▶ call

Source: docs/contract-pod-runner.md, rows i, j, k, l and m.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Literal

Told = Literal["completed", "failed"]
UNIMPORTANT = (".log", ".png", ".jpg", "overview.vtt")
"""How the names of files end that need not be fetched."""
NOT_SENT = 0
"""In place of a status: the client could not be reached."""
CLOCKS_S = 2.0
"""By so much two clocks may differ in their speed, and an age in its rounding."""
LOST_CALLS = 2
"""So many calls without an answer are enough if all results were fetched: then the client takes longer to import them
than it is waited for, and always will."""


@dataclass(frozen=True)
class RunnerWaits:
    """How long a runner client is given for what it does, in seconds."""

    hold_s: float = 30.0
    """From our answer to its request until the first call: it stores the task's number, then sets the video «in
    progress» and deletes its old renditions."""
    may_run_s: float = 900.0
    """From the begin of a call whose answer is missing: so long it may still be at work on it."""
    settle_s: float = 60.0
    """Since a file was fetched: so long it may fetch another one."""
    receipt_s: float = 60.0
    """From a call that it answered by 200 until the results must have been fetched; four times as long after each
    further call."""
    unknown_s: float = 86_400.0
    """Since our answer: so long it may not know the task. It submits 20 tasks every 3 minutes, and our answer may have
    been lost."""
    most_calls: int = 5
    """That it answers by 200 without fetching everything."""


@dataclass(frozen=True)
class CallMark:
    """The memory of the latest call; a file beside the results, since a function may be killed at any moment."""

    told: Told
    """What was said."""
    calls: int
    """The how manieth it is, if only those before it count that were answered 2xx."""
    lost: int
    """How many of those before this one had no answer."""
    begun_at: float
    """Seconds since the epoch."""
    status: int | None = None
    """The client's answer; None: it is under way, or was when the function was killed, or the answer is lost."""
    accepted_at: float = 0.0
    """When the job was accepted; a job that is replayed was accepted anew."""

    @classmethod
    def read(cls, text: bytes) -> "CallMark | None":
        """Read one; None: it cannot be read."""
        try:
            found = json.loads(text)
            return cls(**found) if isinstance(found, dict) else None
        except (ValueError, TypeError):
            return None

    def written(self) -> bytes:
        """Write it."""
        return json.dumps(asdict(self)).encode()

    @property
    def has_succeeded(self) -> bool:
        """Whether the client answered 2xx."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def next_mark(last: CallMark | None, told: Told, now: float, accepted_at: float) -> CallMark:
    """The mark of a call that begins now."""
    if last is None or last.told != told or last.accepted_at != accepted_at:
        return CallMark(told, 1, 0, now, None, accepted_at)
    calls, lost = last.calls + last.has_succeeded, last.lost + (last.status is None)
    return CallMark(told, calls, lost, now, None, accepted_at)


def still_counts(mark: CallMark | None, accepted_at: float) -> CallMark | None:
    """The mark, unless it is of a run before the job was replayed; a call that may still run counts in any case."""
    return mark if mark and (mark.accepted_at == accepted_at or mark.status is None) else None


@dataclass(frozen=True)
class Receipt:
    """Which results a client has fetched."""

    wanted: frozenset[str]
    """What it imports."""
    fetched: Mapping[str, float]
    """Path → seconds since it was fetched to its end, also in earlier calls."""

    @classmethod
    def of(cls, names: Iterable[str], fetched: Mapping[str, float]) -> "Receipt":
        """Read it from the names of the results. A video can be watched without its log and its pictures."""
        return cls(frozenset(name for name in names if not name.endswith(UNIMPORTANT)), fetched)

    @property
    def missing(self) -> frozenset[str]:
        """What was not fetched."""
        return self.wanted - self.fetched.keys()

    @property
    def is_complete(self) -> bool:
        """Whether everything was fetched."""
        return bool(self.wanted) and not self.missing

    def is_complete_since(self, ago_s: float) -> bool:
        """Whether everything was fetched, all of it within so many seconds."""
        return self.is_complete and all(self.fetched[name] <= ago_s for name in self.wanted)

    @property
    def age_s(self) -> float:
        """Seconds since the latest file was fetched."""
        return min(self.fetched.values(), default=float("inf"))


class Next(StrEnum):
    """What to do next."""

    HOLD = "hold"
    """It is too early for the first call; nothing is wrong."""
    CALL = "call"
    WAIT = "wait"
    DONE = "done"
    GIVE_UP = "give up"


@dataclass(frozen=True)
class Decision:
    """What to do next, and why."""

    next: Next
    sentence: str = ""
    wait_s: float = 0.0
    """Of a hold."""


@dataclass(frozen=True)
class Situation:
    """All that the decision depends on."""

    told: Told
    """What is to be said."""
    dialect: Literal["v4", "v5"]
    mark: CallMark | None
    """Of the latest call, also if it said something else."""
    receipt: Receipt
    answered_s_ago: float
    """Since our latest answer to the request."""
    now: float
    """Seconds since the epoch."""

    @property
    def since_call_s(self) -> float:
        """Since the latest call began; the clock may have been another machine's, or set back."""
        return abs(self.now - self.mark.begun_at) if self.mark else float("inf")

    @property
    def was_answered_since(self) -> bool:
        """Whether it has got our answer again since the latest call began: it has begun anew, and forgotten the end."""
        return self.answered_s_ago < self.since_call_s


def choose_next(at: Situation, waits: RunnerWaits) -> Decision:
    """Choose what to do next.

    Args:
        at: what is known.
        waits: how long the client is given.
    """
    mark = at.mark
    if mark is not None and mark.status is None:
        return _after_silence(at, mark, waits)
    if mark is not None and mark.told == at.told and mark.has_succeeded and not at.was_answered_since:
        return _after_success(at, mark, waits)
    if at.answered_s_ago < waits.hold_s:
        sentence = "Pod gets a moment to store the number of its task before it is told of the end."
        return Decision(Next.HOLD, sentence, waits.hold_s - max(0.0, at.answered_s_ago))
    return Decision(Next.CALL)


def _after_silence(at: Situation, mark: CallMark, waits: RunnerWaits) -> Decision:
    """A call is under way, or its answer is lost: there must never be two at once."""
    if at.since_call_s < waits.may_run_s or at.receipt.age_s < waits.settle_s:
        return Decision(Next.WAIT, "An earlier call has no answer; Pod may still be importing the result.")
    if mark.told == at.told == "completed" and mark.lost + 1 >= LOST_CALLS and at.receipt.is_complete:
        return Decision(Next.DONE, "Pod has fetched all files; it took longer to import them than it was waited for.")
    return Decision(Next.CALL)


def _after_success(at: Situation, mark: CallMark, waits: RunnerWaits) -> Decision:
    """The client answered 2xx. V4 says so, too, when its import has failed: what it has fetched tells."""
    if at.dialect == "v5" or at.told == "failed":
        return Decision(Next.DONE, "Pod was notified.")
    receipt = at.receipt
    is_first = mark.calls == 1 and not mark.lost
    if receipt.is_complete and (is_first or receipt.is_complete_since(at.since_call_s + CLOCKS_S)):
        return Decision(Next.DONE, "Pod has fetched all files.")
    if receipt.is_complete and mark.calls >= waits.most_calls:
        return Decision(Next.DONE, "Pod has fetched all files, if not after each call.")
    if receipt.is_complete:
        # an earlier call's, whose answer was lost: this one may have broken off before the first file
        missing = f"Pod answered {mark.status}, but has not fetched all files again"
    else:
        missing = f"Pod answered {mark.status}, but has not fetched {_listed(receipt.missing)}"
    if at.since_call_s < waits.receipt_s * 4 ** (mark.calls - 1) or receipt.age_s < waits.settle_s:
        return Decision(Next.WAIT, f"{missing} yet. It will be called again if it does not.")
    if mark.calls < waits.most_calls:
        return Decision(Next.CALL)
    return Decision(
        Next.GIVE_UP,
        f"{missing}, however often it was called ({mark.calls} times): its import fails. See Pod's log for the reason, "
        "such as a rendition that Pod has no row for; then encode the video again in Pod's administration.",
    )


def _listed(names: Iterable[str]) -> str:
    """A few names of files, as part of a sentence."""
    some = sorted(names)
    shown = ", ".join(repr(name) for name in some[:3])
    return (f"{shown} and {len(some) - 3} more" if len(some) > 3 else shown) or "any file"  # noqa: PLR2004 - as above
