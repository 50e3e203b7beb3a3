"""How two sources are put on one time line, and the rate and the length of what is composed."""

import pytest

from podjobs.media.facts import MediaFacts, VideoFacts
from podjobs.studio.time_line import place_sources
from podjobs.studio.writing import choose_rate, on_frames


def video(frame_rate):
    return VideoFacts(
        index=0, codec="vp8", width_px=640, height_px=360, frame_rate=frame_rate, start_s=0.0, frames=None
    )


def facts(start_s, duration_s):
    return MediaFacts(format_name="matroska", start_s=start_s, duration_s=duration_s, video=video(30), audio=None)


def test_source_that_begins_later_by_the_same_clock_stays_later():
    placed = place_sources({"presentation": (0.0, "a", facts(0.0, 10)), "presenter": (1.5, "b", facts(1.5, 8))})
    assert {name: (one.zero_s, one.end_s) for name, one in placed.items()} == {
        "presentation": (0.0, 10.0),
        "presenter": (0.0, 9.5),
    }


def test_copy_that_begins_at_zero_is_as_late_as_its_source():
    placed = place_sources({"presentation": (0.0, "a", facts(0.0, 10)), "presenter": (1.5, "b", facts(0.0, 8))})
    assert placed["presenter"].zero_s == -1.5
    assert placed["presenter"].end_s == 9.5


def test_clocks_that_have_nothing_to_do_with_one_another_begin_together():
    placed = place_sources({"presentation": (0.0, "a", facts(0.0, 10)), "presenter": (3600.0, "b", facts(3600.0, 8))})
    assert placed["presenter"].zero_s == 3600.0
    assert placed["presenter"].end_s == 8.0


def test_source_of_unknown_length_has_no_end():
    (placed,) = place_sources({"presenter": (0.0, "a", facts(0.0, None))}).values()
    assert placed.end_s is None


@pytest.mark.parametrize(
    ("rates", "highest", "expected"),
    [
        ((5.0, 30.0), 60, 30),
        ((5.0, 12.0), 60, 25),
        ((29.97, 5.0), 60, 30),
        ((30.4, 5.0), 60, 30),
        ((31.0, 5.0), 60, 50),
        ((25.0, 59.94), 60, 60),
        ((25.0, 59.94), 30, 30),
        ((0.0, 0.0), 60, 25),
        ((240.0, 30.0), 60, 60),
        ((30.0, 30.0), 10, 25),
    ],
)
def test_composed_pictures_have_the_lowest_usual_rate_that_loses_no_frame(rates, highest, expected):
    assert choose_rate([video(rate) for rate in rates], highest) == expected


@pytest.mark.parametrize(
    ("start_s", "end_s", "rate", "expected"),
    [
        (0.0, 4.0, 30.0, (0.0, 4.0)),
        (1.25, 6.5, 25.0, (31 / 25, 132 / 25)),
        (0.0, 4.01, 30.0, (0.0, 121 / 30)),
        (0.0, 4.00001, 30.0, (0.0, 4.0)),
        (1.0, 1.0, 30.0, (1.0, 1 / 30)),
        (1.25, 6.5, None, (1.25, 5.25)),
    ],
)
def test_output_begins_with_a_frame_and_ends_after_one(start_s, end_s, rate, expected):
    assert on_frames(start_s, end_s, rate) == pytest.approx(expected, abs=1e-9)
