"""What is where in each layout, in size, time and colour, and what kind of file it is."""

from dataclasses import replace
from itertools import pairwise

import pytest

from podjobs.contract.jobs import Cut
from support.studio_results import has_index_first
from support.studio_sources import CAMERA, CAMERA_HZ, SCREEN, record
from support.studio_workbench import StudioWorkbench

SCREEN_COLOURS, CAMERA_COLOURS = ["red", "lime", "blue", "yellow"], ["cyan", "magenta", "white", "black"]
MIDDLES_S = (0.5, 1.5, 2.5, 3.5)
WIDTH_PX, HEIGHT_PX = 384, 216
"""Of the presentation. The presenter, 320 × 240, becomes 72 × 54 in a corner, 288 × 216 beside it."""
CORNER_PX = {"pipb": (302, 152, 374, 206), "piph": (302, 10, 374, 64)}
"""Left, top, right and bottom of the presenter's picture."""
EDGE_PX = 4
"""So near to an edge colours may mix."""


@pytest.fixture(scope="module")
def compose(takes, tmp_path_factory):
    """Composes the screen and the camera, each layout once."""
    composed = {}

    def once(layout):
        if layout not in composed:
            workbench = StudioWorkbench(tmp_path_factory.mktemp("media"))
            composed[layout] = workbench.compose(record(takes, SCREEN), record(takes, CAMERA), layout=layout)
        return composed[layout]

    return once


def colours(recording, x_px, y_px, times_s=MIDDLES_S):
    return [recording.colour_at(time_s, x_px, y_px) for time_s in times_s]


@pytest.mark.parametrize("layout", ["pipb", pytest.param("piph", marks=pytest.mark.slow)])
def test_compose_presenter_is_in_its_corner_of_the_presentation(compose, layout):
    recording = compose(layout)
    assert recording.size_px == (WIDTH_PX, HEIGHT_PX)
    left, top, right, bottom = CORNER_PX[layout]
    for x_px in (left + EDGE_PX, right - 1 - EDGE_PX):
        for y_px in (top + EDGE_PX, bottom - 1 - EDGE_PX):
            assert colours(recording, x_px, y_px) == CAMERA_COLOURS
    middle_px = (left + right) // 2, (top + bottom) // 2
    around = [(left - EDGE_PX, middle_px[1]), (right + EDGE_PX, middle_px[1])]
    around += [(middle_px[0], top - EDGE_PX), (middle_px[0], bottom + EDGE_PX), (10, 10), (10, -10)]
    for x_px, y_px in around:
        assert colours(recording, x_px, y_px) == SCREEN_COLOURS


@pytest.mark.parametrize("layout", ["mid"])
def test_compose_sources_are_side_by_side_in_equal_heights(compose, layout):
    recording = compose(layout)
    assert recording.size_px == (WIDTH_PX + 288, HEIGHT_PX)
    for y_px in (EDGE_PX, -1 - EDGE_PX):
        for x_px in (EDGE_PX, WIDTH_PX - 1 - EDGE_PX):
            assert colours(recording, x_px, y_px) == SCREEN_COLOURS
        for x_px in (WIDTH_PX + EDGE_PX, -1 - EDGE_PX):
            assert colours(recording, x_px, y_px) == CAMERA_COLOURS


@pytest.mark.slow
def test_compose_alone_shows_the_presentation_and_nothing_else(compose):
    recording = compose("alone")
    assert recording.size_px == (WIDTH_PX, HEIGHT_PX)
    for place_px in ((10, 10), (-20, -20), (-20, 20)):
        assert colours(recording, *place_px) == SCREEN_COLOURS


@pytest.mark.parametrize("layout", ["pipb", pytest.param("alone", marks=pytest.mark.slow)])
def test_compose_presenter_is_heard_where_both_have_sound(compose, layout):
    recording = compose(layout)
    assert recording.tones_hz(0.5, 3.5) == [CAMERA_HZ]
    assert abs(recording.sound.size / 48_000 - 4) < 0.05


def test_compose_picture_changes_when_its_sources_do(compose):
    """Within a frame of each second, both of them."""
    recording = compose("mid")
    for second in (1, 2, 3):
        for x_px, names in ((20, SCREEN_COLOURS), (-20, CAMERA_COLOURS)):
            around = colours(recording, x_px, 20, (second - 0.034, second + 0.034))
            assert around == names[second - 1 : second + 1]


def test_compose_makes_an_mp4_that_pod_can_cut_and_play(compose):
    """H.264 and AAC, the index first, frames at a constant rate, key frames every two seconds."""
    recording = compose("pipb")
    assert recording.coding == ("h264", "yuv420p", "aac")
    assert has_index_first(recording.path)
    assert recording.frame_rate == 30
    assert len(recording.times_s) == len(recording.frames) == 4 * 30
    assert recording.times_s[0] == 0
    assert {round((after - before) * 30, 3) for before, after in pairwise(recording.times_s)} == {1.0}
    assert {0, 2} <= set(recording.key_times_s)  # where everything changes, there are more


def test_compose_cut_is_exact(takes, workbench):
    cut = Cut(start_s=1.25, end_s=3.45)
    recording = workbench.compose(record(takes, SCREEN), record(takes, CAMERA), layout="pipb", cut=cut)
    assert len(recording.times_s) == round(2.2 * 30)
    assert abs(recording.sound.size / 48_000 - 2.2) < 0.05
    times_s = (0, 0.7, 0.8, 1.7, 1.8, 2.16)
    assert colours(recording, 20, 20, times_s) == ["lime", "lime", "blue", "blue", "yellow", "yellow"]
    assert colours(recording, 340, 180, times_s) == ["magenta", "magenta", "white", "white", "black", "black"]


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["mid", "pipb", "piph", "alone"])
def test_compose_odd_sizes_become_even_ones(takes, workbench, layout):
    screen, camera = replace(SCREEN, size_px=(385, 217)), replace(CAMERA, size_px=(321, 241))
    recording = workbench.compose(record(takes, screen), record(takes, camera), layout=layout)
    width_px, height_px = recording.size_px
    assert width_px % 2 == height_px % 2 == 0
    assert abs(height_px - 217) <= 1
    assert colours(recording, 20, 20) == SCREEN_COLOURS
