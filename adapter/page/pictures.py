"""The page's pictures, as SVG: what the last day was like, and how a job's steps went. Pure.

Colours and fonts are in page.css, so that there are no styles in the document.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from adapter.inspection.overview import Remark
from adapter.page.shortening import shorten

WIDTH, HEIGHT = 960, 190
LEFT, RIGHT, BOTTOM, TOP = 40, 40, 24, 10
ROW, LABEL = 20, 200
MOST_ROWS = 40
"""Of a job's picture: more steps are folded."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_TICKS = 8
LABEL_BYTES, REMARK_BYTES = 60, 100
MOST_SPANS = 160
"""In all rows: of a picture with more, the shortest are left out."""


@dataclass(frozen=True, slots=True)
class Point:
    """A quarter of an hour of the last day."""

    at_s: float
    done: int
    failed: int
    waiting: float


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a row: from when to when, in seconds since the job was accepted, and what it was."""

    begin_s: float
    end_s: float
    kind: str
    """`waiting`, `work`, `failed`, `between` (two attempts) or `running`: a class of page.css."""
    remark: Remark
    """What to say of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step, or several that are folded."""

    label: str
    spans: Sequence[Span]


def draw_day(points: Sequence[Point], title: str, clock: Sequence[str]) -> str:
    """Draw how many jobs have ended in each quarter of an hour, and how much waited.

    Args:
        points: oldest first.
        title: what screen readers say.
        clock: the points' times, as texts.
    """
    most_ended = _ceiling(max([1, *(point.done + point.failed for point in points)]))
    most_waiting = _ceiling(max([1.0, *(point.waiting for point in points)]))
    floor, inner, width = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP, (WIDTH - LEFT - RIGHT) / max(1, len(points))
    parts = [_begin(WIDTH, HEIGHT, title), *_scales(most_ended, most_waiting)]
    for number, point in enumerate(points):
        x, top = LEFT + (number + 0.1) * width, float(floor)
        for count, kind in ((point.done, "done"), (point.failed, "failed")):
            height = inner * count / most_ended
            top -= height
            if count:
                size = f'width="{width * 0.8:.1f}" height="{height:.1f}"'
                parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" {size}/>')
    line = " ".join(
        f"{LEFT + (number + 0.5) * width:.1f},{floor - inner * point.waiting / most_waiting:.1f}"
        for number, point in enumerate(points)
    )
    parts.append(f'<polyline class="backlog" points="{line}"/>')
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{floor}" x2="{WIDTH - RIGHT}" y2="{floor}"/>')
    every = math.ceil(max(1, len(points)) / 8)
    parts += [
        f'<text class="number" x="{LEFT + number * width:.1f}" y="{HEIGHT - 6}">{escape(clock[number])}</text>'
        for number in range(0, len(points), every)
    ]
    return "".join([*parts, "</svg>"])


def _scales(most_ended: int, most_waiting: int) -> list[str]:
    """Lines at the whole and the half of the height, with what they mean: jobs on the left, what waits on the right."""
    parts = []
    for share in (0.5, 1.0):
        y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        for x, anchor, most in ((LEFT - 6, "end", most_ended), (WIDTH - RIGHT + 6, "start", most_waiting)):
            text = f"{most * share:g}"
            parts.append(f'<text class="number" x="{x}" y="{y + 4:.1f}" text-anchor="{anchor}">{text}</text>')
    return parts


def _ceiling(most: float) -> int:
    """The next number that is round and even, such as 2, 4, 6, 8, 10, 20 and 40."""
    size: int = 10 ** (len(str(math.ceil(most))) - 1)
    return next(step * size for step in (1, 2, 4, 6, 8, 10) if step * size >= most and step * size > 1)


def draw_steps(rows: Sequence[Row], length_s: float, title: str, say: Callable[[Remark], str]) -> str:
    """Draw how steps went, one row for each.

    Args:
        rows: no more than MOST_ROWS.
        length_s: from the beginning to the end of the picture.
        title: what screen readers say.
        say: tells a remark in a language.
    """
    height, scale = len(rows) * ROW + BOTTOM + TOP, (WIDTH - LABEL - 10) / max(length_s, 0.001)
    drawn = _longest(rows)
    parts = [_begin(WIDTH, height, title)]
    tick_s = next((step for step in _STEPS_S if length_s / step <= MOST_TICKS), math.ceil(length_s / MOST_TICKS))
    for number in range(int(length_s // tick_s) + 1):
        x = LABEL + number * tick_s * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - BOTTOM}"/>')
        clock = _clock(number * tick_s, tick_s)
        parts.append(f'<text class="number" x="{x:.1f}" y="{height - 6}" text-anchor="middle">{clock}</text>')
    for number, row in enumerate(rows):
        y = TOP + number * ROW
        label = escape(shorten(row.label, LABEL_BYTES))
        parts.append(f'<text class="label" x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{label}</text>')
        for span in row.spans:
            if id(span) not in drawn:
                continue
            x, width = LABEL + span.begin_s * scale, max(1.5, (span.end_s - span.begin_s) * scale)
            parts.append(
                f'<rect class="{span.kind}" x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 5}">'
                f"<title>{escape(shorten(say(span.remark), REMARK_BYTES))}</title></rect>"
            )
    return "".join([*parts, "</svg>"])


def _longest(rows: Sequence[Row]) -> set[int]:
    """The identities of the spans that are drawn: of very many, the longest."""
    spans = sorted((span for row in rows for span in row.spans), key=lambda span: span.begin_s - span.end_s)
    return {id(span) for span in spans[:MOST_SPANS]}


def _begin(width: int, height: int, title: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'


def _clock(seconds: float, tick_s: float) -> str:
    """A place on the time line: 30 s, 1:30 min, 5 min or 2:05 h, with no more than the distance of ticks needs."""
    hours, minutes, rest_s = int(seconds) // 3600, int(seconds) // 60 % 60, int(seconds) % 60
    if hours:
        return f"{hours}:{minutes:02d} h"
    if minutes:
        return f"{minutes} min" if tick_s % 60 == 0 else f"{minutes}:{rest_s:02d} min"
    return f"{rest_s} s" if tick_s % 60 else f"{minutes} min"
