"""The page's pictures."""

import xml.etree.ElementTree as ET

import pytest

from adapter.inspection.overview import Remark
from adapter.page.pictures import MOST_ROWS, MOST_SPANS, Point, Row, Span, draw_day, draw_steps
from adapter.page.steps_picture import Frame, lay_out_steps
from adapter.steps.history import Attempt, RunningStep

EVIL = "<script>alert('1')</script>&\""


def attempt(step, ready, began, ended, outcome="done", number=1, reason=""):
    return Attempt(
        step, "encoding", "chunk", "encode", number, outcome, ready, ready, began, ended, "one", 0, 0, reason
    )


def drawn(rows, length_s=100):
    return ET.fromstring(draw_steps(rows, length_s, "A title.", str))  # noqa: S314 - our own


def kinds(row):
    return [(span.kind, span.begin_s, span.end_s) for span in row.spans]


def test_a_day_is_drawn_with_columns_for_what_has_ended_and_a_line_for_what_waits():
    points = [Point(0, 2, 0, 0), Point(900, 3, 1, 10), Point(1800, 0, 0, 5)]
    picture = ET.fromstring(draw_day(points, "A title.", ["8:00", "8:15", "<8:30>"]))  # noqa: S314 - our own
    assert picture.get("aria-label") == "A title."
    columns = {kind: picture.findall(f"rect[@class='{kind}']") for kind in ("done", "failed")}
    assert [len(found) for found in columns.values()] == [2, 1]
    # 4 at most: the whole height
    assert [float(one.get("height")) for one in columns["done"]] == [78.0, 117.0]
    assert float(columns["failed"][0].get("height")) == 39.0
    heights = [float(place.split(",")[1]) for place in picture.find("polyline").get("points").split()]
    assert heights == [166.0, 10.0, 88.0]


def test_a_day_in_which_nothing_has_happened_can_be_drawn():
    assert draw_day([Point(0, 0, 0, 0)], "A title.", ["8:00"]).endswith("</svg>")


def test_a_step_waits_works_fails_and_waits_again():
    attempts = [
        attempt("chunk-1", 100, 110, 130, "retried", 1, "Broken."),
        attempt("chunk-1", 100, 140, 160, number=2),
        attempt("chunk-0", 100, 100.01, 105),
    ]
    running = [RunningStep("encoding", "1-0", "job", "package", "package", 1, "one", 161)]
    rows = lay_out_steps(attempts, running, Frame(90, 171, 160))
    assert [row.label for row in rows] == ["chunk-0", "chunk-1", "package"]
    assert kinds(rows[1]) == [
        ("waiting", 10, 20),
        ("between", 40, 50),
        ("failed", 20, 40),
        ("work", 50, 70),
    ]
    assert [kind for kind, _, _ in kinds(rows[0])] == ["work"]
    assert kinds(rows[2]) == [("waiting", 70, 71), ("running", 71, 81)]
    assert [str(span.remark) for span in rows[1].spans] == [
        "chunk-1: waited 10 s for its turn",
        "chunk-1: waited 10 s for another attempt",
        "chunk-1: attempt 1 failed after 20 s: Broken.",
        "chunk-1: attempt 2 worked 20 s",
    ]


def test_a_step_that_runs_again_has_waited_since_its_last_attempt():
    failed = attempt("chunk-1", 100, 110, 130, "retried", 1, "Broken.")
    running = [RunningStep("encoding", "1-0", "job", "chunk-1", "chunk", 2, "one", 140)]
    (row,) = lay_out_steps([failed], running, Frame(100, 150, 100))
    assert kinds(row) == [("waiting", 0, 10), ("failed", 10, 30), ("between", 30, 40), ("running", 40, 50)]


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [
        (7, ["0 s", "1 s", "2 s"]),
        (100, ["0 s", "15 s", "30 s", "45 s", "1:00 min"]),
        (900, ["0 min", "2 min", "4 min"]),
        (7000, ["0 min", "15 min", "30 min", "45 min", "1:00 h", "1:15 h"]),
        (90000, ["0 min", "4:00 h", "8:00 h"]),
    ],
)
def test_the_time_line_has_round_ticks(length_s, expected):
    ticks = [one.text for one in drawn([], length_s).findall("text")]
    assert ticks[: len(expected)] == expected
    assert len(ticks) <= 9


def test_many_steps_are_folded_in_the_order_in_which_they_came():
    attempts = [attempt(f"chunk-{number:03}", 0, number, number + 2) for number in range(600)]
    attempts[7] = attempt("chunk-007", 0, 7, 9, "failed")
    rows = lay_out_steps(attempts, [], Frame(0, 700, 0))
    assert len(rows) == MOST_ROWS
    assert rows[0].label == "chunk-000 … chunk-014"
    assert kinds(rows[0]) == [("waiting", 0, 14), ("work", 0, 16), ("failed", 7, 9)]
    assert str(rows[0].spans[1].remark) == "chunk-000 … chunk-014: 14 attempts worked"


def test_spans_that_are_apart_stay_apart_when_steps_are_folded():
    attempts = [attempt(f"s{number:03}", number * 10, number * 10, number * 10 + 1) for number in range(80)]
    rows = lay_out_steps(attempts, [], Frame(0, 800, 0))
    assert kinds(rows[0]) == [("work", 0, 1), ("work", 10, 11)]


@pytest.mark.parametrize("label", [EVIL, "x" * 500])
def test_what_a_step_is_called_is_text_and_short(label):
    picture = drawn([Row(label, [Span(0, 10, "work", Remark("%(why)s", {"why": label}))])])
    assert label.startswith(picture.find("text[@class='label']").text.removesuffix("…"))
    assert label.startswith(picture.find("rect/title").text.removesuffix("…"))
    assert len(ET.tostring(picture)) < 4000


def test_the_largest_picture_is_small_whatever_the_steps_say():
    attempts = [
        attempt(f"{'&' * 60}{step}", 0, number * 10, number * 10 + 5, "retried", number, "'" * 300)
        for step in range(MOST_ROWS)
        for number in range(1, 20)
    ]
    text = draw_steps(lay_out_steps(attempts, [], Frame(0, 2000, 0)), 2000, "A title.", str)
    assert text.count("<rect") <= MOST_SPANS
    assert len(text.encode()) <= 45_000
