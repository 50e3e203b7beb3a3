"""Where pictures are shown: exact numbers for each layout, and what holds for any sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.studio.layout import MARGIN_PX, Place, arrange, arrange_alone

FULL_HD, HD = (1920, 1080), (1280, 720)
SIDES = st.integers(2, 5000)
SIZES = st.tuples(SIDES, SIDES)


def place(x_px, y_px, width_px, height_px):
    return Place(x_px=x_px, y_px=y_px, width_px=width_px, height_px=height_px)


def test_side_by_side_has_the_smaller_height():
    assert arrange("mid", FULL_HD, HD) == ((2560, 720), (place(0, 0, 1280, 720), place(1280, 0, 1280, 720)))
    assert arrange("mid", HD, FULL_HD).size_px == (2560, 720)


@pytest.mark.parametrize(("layout", "y_px"), [("pipb", 1080 - 270 - 10), ("piph", 10)])
def test_presenter_is_a_quarter_of_the_height_in_a_corner(layout, y_px):
    found = arrange(layout, FULL_HD, HD)
    assert found == (FULL_HD, (place(0, 0, *FULL_HD), place(1920 - 480 - 10, y_px, 480, 270)))


def test_portrait_presenter_keeps_its_shape():
    _, (_, inset) = arrange("pipb", FULL_HD, (720, 1280))
    assert inset.size_px == (152, 270)
    assert arrange("mid", FULL_HD, (720, 1280)).places[1].size_px == (608, 1080)


def test_odd_sides_become_even():
    assert arrange_alone((853, 479)) == ((852, 480), (place(0, 0, 852, 480),))
    assert arrange("mid", (853, 479), (853, 479)).size_px == (2 * 854, 480)


@given(SIZES, SIZES, st.sampled_from(["mid", "pipb", "piph"]))
def test_every_place_is_even_and_within_the_picture(presentation_px, presenter_px, layout):
    (width_px, height_px), places = arrange(layout, presentation_px, presenter_px)
    for one in places:
        numbers = (one.x_px, one.y_px, one.width_px, one.height_px)
        assert all(number % 2 == 0 for number in numbers)
        assert min(one.x_px, one.y_px) >= 0
        assert min(one.size_px) >= 2
        assert one.x_px + one.width_px <= max(width_px, one.width_px)
        assert one.y_px + one.height_px <= max(height_px, one.height_px)


@given(st.tuples(st.integers(200, 5000), st.integers(200, 5000)), SIZES)
def test_presenter_is_at_the_margin_wherever_there_is_room(presentation_px, presenter_px):
    (width_px, _), (_, inset) = arrange("pipb", presentation_px, presenter_px)
    assert inset.x_px + inset.width_px == width_px - MARGIN_PX
