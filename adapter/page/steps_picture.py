"""How a job's steps went, as rows of a picture: which waited for their turn, which worked, which failed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from adapter.inspection.durations import format_seconds
from adapter.inspection.overview import Remark
from adapter.page.pictures import MOST_ROWS, Row, Span
from adapter.plurals import Plural
from adapter.steps.history import Attempt, AttemptOutcome, RunningStep

_LEAST_S = 0.05
"""Shorter waits are not shown."""

WAITED = "%(step)s: waited %(time)s for its turn"
WORKED = "%(step)s: attempt %(number)s worked %(time)s"
FAILED = "%(step)s: attempt %(number)s failed after %(time)s: %(reason)s"
BETWEEN = "%(step)s: waited %(time)s for another attempt"
RUNS = "%(step)s: attempt %(number)s runs"
FOLDED = {
    "waiting": Plural(
        "%(step)s: %(count)s step waited for its turn", "%(step)s: %(count)s steps waited for their turns"
    ),
    "work": Plural("%(step)s: %(count)s attempt worked", "%(step)s: %(count)s attempts worked"),
    "between": Plural(
        "%(step)s: %(count)s step waited for another attempt", "%(step)s: %(count)s steps waited for another attempt"
    ),
    "failed": Plural("%(step)s: %(count)s attempt failed", "%(step)s: %(count)s attempts failed"),
    "running": Plural("%(step)s: %(count)s step runs", "%(step)s: %(count)s steps run"),
}
"""Of several steps; in the order in which they are drawn."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the picture shows of time, in seconds since the epoch."""

    begin_s: float
    end_s: float
    """What runs ends there."""
    stage_s: float
    """When the current stage began: its steps wait for their turns from then on. 0: not known."""


def lay_out_steps(attempts: Sequence[Attempt], running: Sequence[RunningStep], frame: Frame) -> list[Row]:
    """Lay out the rows; steps that are too many are folded, in the order in which their work began.

    Args:
        attempts: those that have ended.
        running: those that run.
        frame: see there.
    """
    grouped: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        grouped.setdefault(attempt.step, []).append(attempt)
    by_step = {step: _spans(own, frame.begin_s) for step, own in grouped.items()}
    for one in running:
        before = grouped.get(one.step, [])
        by_step.setdefault(one.step, []).extend(_running_spans(one, before[-1] if before else None, frame))
    names = sorted(by_step, key=lambda step: _first(by_step[step]))
    if len(names) <= MOST_ROWS:
        return [Row(name, by_step[name]) for name in names]
    size = -(-len(names) // MOST_ROWS)
    return [_fold(names[start : start + size], by_step) for start in range(0, len(names), size)]


def _first(spans: Sequence[Span]) -> float:
    """When a step's work began."""
    return min(span.begin_s for span in spans if span.kind != "waiting")


def _running_spans(one: RunningStep, before: Attempt | None, frame: Frame) -> list[Span]:
    """What a step does now, and what it waited for."""
    waited_from_s = before.ended_at if before else frame.stage_s or one.since_s
    waited_s = one.since_s - waited_from_s
    spans = []
    if waited_s > _LEAST_S:
        remark = Remark(BETWEEN if before else WAITED, {"step": one.step, "time": format_seconds(waited_s)})
        kind = "between" if before else "waiting"
        spans.append(Span(waited_from_s - frame.begin_s, one.since_s - frame.begin_s, kind, remark))
    remark = Remark(RUNS, {"step": one.step, "number": one.attempt})
    end_s = max(one.since_s, frame.end_s)
    return [*spans, Span(one.since_s - frame.begin_s, end_s - frame.begin_s, "running", remark)]


def _spans(attempts: Sequence[Attempt], begin_s: float) -> list[Span]:
    """What one step did: it waited for its turn, and each of its attempts worked; between them it waited again."""
    first = attempts[0]
    spans = []
    if first.began_at - first.ready_at > _LEAST_S:
        remark = Remark(WAITED, {"step": first.step, "time": format_seconds(first.began_at - first.ready_at)})
        spans.append(Span(first.ready_at - begin_s, first.began_at - begin_s, "waiting", remark))
    for earlier, later in pairwise(attempts):
        waited = format_seconds(max(0.0, later.began_at - earlier.ended_at))
        remark = Remark(BETWEEN, {"step": earlier.step, "time": waited})
        spans.append(Span(earlier.ended_at - begin_s, later.began_at - begin_s, "between", remark))
    for attempt in attempts:
        has_worked = attempt.outcome == AttemptOutcome.DONE
        values = {"step": attempt.step, "number": attempt.number, "time": format_seconds(attempt.ran_s)}
        remark = Remark(WORKED, values) if has_worked else Remark(FAILED, values | {"reason": attempt.reason})
        kind = "work" if has_worked else "failed"
        spans.append(Span(attempt.began_at - begin_s, attempt.ended_at - begin_s, kind, remark))
    return spans


def _fold(steps: Sequence[str], by_step: Mapping[str, Sequence[Span]]) -> Row:
    """One row for several steps: for each kind, when any of them did it."""
    spans = [span for step in steps for span in by_step[step]]
    label = f"{steps[0]} … {steps[-1]}" if len(steps) > 1 else steps[0]
    folded: list[Span] = []
    for kind, texts in FOLDED.items():
        own = sorted((span for span in spans if span.kind == kind), key=lambda span: span.begin_s)
        remark = Remark.counting(texts, len(own), step=label)
        folded += _unite(own, kind, remark)
    return Row(label, folded)


def _unite(spans: Sequence[Span], kind: str, remark: Remark) -> list[Span]:
    """Spans that overlap or touch become one."""
    united: list[Span] = []
    for span in spans:
        last = united[-1] if united else None
        if last is not None and span.begin_s <= last.end_s + _LEAST_S:
            united[-1] = Span(last.begin_s, max(last.end_s, span.end_s), kind, remark)
        else:
            united.append(Span(span.begin_s, span.end_s, kind, remark))
    return united
