"""How a job's steps went, as rows of a picture: which waited for their turn, which worked, which failed. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from adapter.page.pictures import MOST_ROWS, Row, Span
from adapter.steps.history import Attempt, AttemptOutcome, RunningStep

_LEAST_S = 0.05
"""Shorter waits are not shown."""


def lay_out_steps(
    attempts: Sequence[Attempt], running: Sequence[RunningStep], begin_s: float, now_s: float
) -> list[Row]:
    """Lay out the rows; steps that are too many are folded, in the order in which they came.

    Args:
        attempts: those that have ended.
        running: those that run.
        begin_s: where the picture begins, in seconds since the epoch.
        now_s: likewise, where what runs ends.
    """
    by_step: dict[str, list[Span]] = {}
    order: dict[str, float] = {}
    grouped: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        grouped.setdefault(attempt.step, []).append(attempt)
    for step, own in grouped.items():
        order[step] = own[0].ready_at
        by_step[step] = _spans(own, begin_s)
    for one in running:
        order.setdefault(one.step, one.since_s)
        span = Span(one.since_s - begin_s, max(one.since_s, now_s) - begin_s, "running", f"{one.step}: runs")
        by_step.setdefault(one.step, []).append(span)
    names = sorted(by_step, key=lambda step: (order[step], _first(by_step[step])))
    if len(names) <= MOST_ROWS:
        return [Row(name, by_step[name]) for name in names]
    size = -(-len(names) // MOST_ROWS)
    return [_fold(names[start : start + size], by_step) for start in range(0, len(names), size)]


def _first(spans: Sequence[Span]) -> float:
    return min(span.begin_s for span in spans)


def _spans(attempts: Sequence[Attempt], begin_s: float) -> list[Span]:
    """What one step did: it waited for its turn, and each of its attempts worked; between them it waited again."""
    first = attempts[0]
    spans = []
    if first.began_at - first.ready_at > _LEAST_S:
        waited_s = first.began_at - first.ready_at
        text = f"{first.step}: waited {waited_s:.1f} s for its turn"
        spans.append(Span(first.ready_at - begin_s, first.began_at - begin_s, "waiting", text))
    for attempt in attempts:
        kind = "work" if attempt.outcome == AttemptOutcome.DONE else "failed"
        text = f"{attempt.step}: attempt {attempt.number}, {attempt.outcome}, {attempt.ran_s:.1f} s. {attempt.reason}"
        spans.append(Span(attempt.began_at - begin_s, attempt.ended_at - begin_s, kind, text.rstrip()))
    for earlier, later in pairwise(attempts):
        text = f"{earlier.step}: waited for another attempt"
        spans.append(Span(earlier.ended_at - begin_s, later.began_at - begin_s, "between", text))
    return spans


def _fold(steps: Sequence[str], by_step: dict[str, list[Span]]) -> Row:
    """One row for several steps: when the first of them waited, when any of them worked."""
    spans = [span for step in steps for span in by_step[step]]
    label = f"{steps[0]} … {steps[-1]}" if len(steps) > 1 else steps[0]
    folded = []
    for kind in ("waiting", "work", "failed", "running"):
        own = [span for span in spans if span.kind == kind]
        if own:
            begin_s, end_s = _first(own), max(span.end_s for span in own)
            folded.append(Span(begin_s, end_s, kind, f"{label}: {len(own)} × {kind}"))
    return Row(label, folded)
