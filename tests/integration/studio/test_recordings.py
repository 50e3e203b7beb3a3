"""Recordings as browsers and phones leave them: late, short, silent, without picture, turned, of any rate and size."""

from dataclasses import replace

import pytest

from support.media import packets
from support.studio_results import Recording
from support.studio_sources import CAMERA, CAMERA_HZ, SCREEN, SCREEN_HZ, record, record_changing
from support.studio_workbench import StudioWorkbench

SLOW = pytest.mark.slow
CAMERA_PLACE_PX = (340, 180)
"""Within the presenter's picture in `pipb`."""


@pytest.mark.slow
def test_compose_source_that_starts_late_or_ends_early_keeps_its_time(takes, workbench):
    """The recording is as long as the longer source; of the other one the last picture stays."""
    screen = replace(SCREEN, length_s=4)
    camera = replace(CAMERA, length_s=6, starts_s=1.5)
    recording = workbench.compose(record(takes, screen), record(takes, camera), layout="pipb")
    assert len(recording.times_s) == 6 * 30
    times_s = (1.8, 2.5, 3.5, 4.5, 5.5, 5.96)
    assert [recording.colour_at(time_s, 20, 20) for time_s in times_s] == [
        "lime", "blue", "yellow", "yellow", "yellow", "yellow",
    ]  # fmt: skip
    assert [recording.colour_at(time_s, *CAMERA_PLACE_PX) for time_s in times_s] == [
        "magenta", "white", "black", "cyan", "magenta", "magenta",
    ]  # fmt: skip
    assert [recording.colour_at(time_s, 20, 20) for time_s in (0.5, 1.2)] == ["red", "lime"]
    assert recording.tones_hz(0.2, 1.3) == []
    assert recording.tones_hz(1.7, 5.8) == [CAMERA_HZ]


@SLOW
def test_compose_presentation_that_starts_late_keeps_its_time(takes, workbench):
    screen, camera = replace(SCREEN, starts_s=1.5), replace(CAMERA, length_s=6)
    recording = workbench.compose(record(takes, screen), record(takes, camera), layout="mid")
    assert len(recording.times_s) == 6 * 30
    times_s = (1.8, 2.5, 3.5, 5.5)
    assert [recording.colour_at(time_s, 20, 20) for time_s in times_s] == ["lime", "blue", "yellow", "yellow"]
    assert [recording.colour_at(time_s, -20, 20) for time_s in times_s] == ["magenta", "white", "black", "magenta"]
    assert [recording.colour_at(time_s, -20, 20) for time_s in (0.1, 1.2)] == ["cyan", "magenta"]


def test_compose_phone_that_was_turned_is_upright(takes, workbench):
    phone = record(
        takes, replace(CAMERA, coding="h264", turn_degrees=90, lower="gray", rate="30000/1001", size_px=(320, 240))
    )
    seen = Recording(phone)
    recording = workbench.compose(record(takes, SCREEN), phone, layout="mid")
    assert seen.size_px == (240, 320)
    assert recording.size_px == (384 + 162, 216)
    for left, top in ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)):
        expected = seen.colour_at(1.5, left * 240, top * 320)
        assert recording.colour_at(1.5, 384 + left * 162, top * 216) == expected


@pytest.mark.slow
def test_compose_presenter_without_a_picture_is_heard_only(takes, workbench):
    camera = replace(CAMERA, colours=())
    recording = workbench.compose(record(takes, SCREEN), record(takes, camera), layout="pipb")
    assert recording.size_px == (384, 216)
    assert recording.colour_at(1.5, *CAMERA_PLACE_PX) == "lime"
    assert recording.tones_hz(0.5, 3.5) == [CAMERA_HZ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("screen", "camera", "tones_hz"),
    [
        pytest.param("tone", "silence", [SCREEN_HZ], id="silent presenter"),
        pytest.param("tone", "no packets", [SCREEN_HZ], id="muted presenter", marks=SLOW),
        pytest.param("tone", "none", [SCREEN_HZ], id="presenter without a track", marks=SLOW),
        pytest.param("none", "tone", [CAMERA_HZ], id="presentation without a track", marks=SLOW),
        pytest.param("no packets", "tone", [CAMERA_HZ], id="muted presentation", marks=SLOW),
        pytest.param("silence", "tone", [CAMERA_HZ], id="silent presentation", marks=SLOW),
    ],
)
def test_compose_source_that_can_be_heard_is(takes, workbench, screen, camera, tones_hz):
    sources = record(takes, replace(SCREEN, sound=screen)), record(takes, replace(CAMERA, sound=camera))
    recording = workbench.compose(*sources, layout="pipb")
    assert recording.tones_hz(0.5, 3.5) == tones_hz
    assert abs(recording.sound.size / 48_000 - 4) < 3 * 1024 / 48_000  # frames of AAC that only pad


@SLOW
@pytest.mark.parametrize("sound", ["none", "no packets", "silence"])
def test_compose_recording_without_any_sound_is_shown(takes, workbench, sound):
    sources = record(takes, replace(SCREEN, sound=sound)), record(takes, replace(CAMERA, sound=sound))
    recording = workbench.compose(*sources, layout="pipb")
    assert len(recording.times_s) == 4 * 30
    assert recording.colour_at(1.5, *CAMERA_PLACE_PX) == "magenta"


@pytest.mark.slow
def test_compose_both_are_heard_if_so_configured(takes, tmp_path):
    workbench = StudioWorkbench(tmp_path / "media", {"podjobs_studio_sound": "mix"})
    recording = workbench.compose(record(takes, SCREEN), record(takes, CAMERA), layout="piph")
    assert recording.tones_hz(0.5, 3.5) == [SCREEN_HZ, CAMERA_HZ]


@SLOW
@pytest.mark.parametrize("name", ["presentation", "presenter"])
@pytest.mark.parametrize("layout", ["mid", "pipb", "alone"])
def test_compose_single_source_is_shown_alone(takes, workbench, name, layout):
    recording = workbench.compose(**{name: record(takes, CAMERA)}, layout=layout)
    assert recording.size_px == (320, 240)
    assert [recording.colour_at(time_s, 20, 20) for time_s in (0.5, 1.5)] == ["cyan", "magenta"]
    assert recording.tones_hz(0.5, 3.5) == [CAMERA_HZ]
    # every frame that came, at its own time
    assert len(recording.times_s) == len(packets(record(takes, CAMERA)))


@SLOW
@pytest.mark.parametrize(("coding", "screen_rate", "camera_rate"), [("vp9", "5", "30000/1001"), ("vp8", "5", "25")])
def test_compose_sources_of_different_rates_each_keep_their_time(takes, workbench, coding, screen_rate, camera_rate):
    screen = record(takes, replace(SCREEN, rate=screen_rate, coding=coding))
    camera = record(takes, replace(CAMERA, rate=camera_rate, coding=coding))
    recording = workbench.compose(screen, camera, layout="mid")
    for second, names in ((1, ("red", "lime")), (3, ("blue", "yellow"))):
        assert tuple(recording.colour_at(second + by_s, 20, 20) for by_s in (-0.05, 0.05)) == names
    assert [recording.colour_at(time_s, -20, 20) for time_s in (0.93, 1.07)] == ["cyan", "magenta"]
    assert abs(len(recording.times_s) / recording.frame_rate - 4) < 0.05


@SLOW
@pytest.mark.parametrize("layout", ["mid", "pipb"])
def test_compose_picture_that_changes_its_size_is_fitted(takes, workbench, layout):
    """It is neither squeezed nor moved; what it does not fill is black."""
    screen = record_changing(takes, SCREEN, ((384, 216), (216, 216)))
    recording = workbench.compose(screen, record(takes, CAMERA), layout=layout)
    assert recording.size_px == (384 + 288 * (layout == "mid"), 216)
    assert [recording.colour_at(time_s, 192, 108) for time_s in (0.5, 1.5, 2.5, 3.5)] == [
        "red", "lime", "blue", "yellow",
    ]  # fmt: skip
    assert [recording.colour_at(time_s, 40, 108) for time_s in (1.5, 2.5)] == ["lime", "black"]


@SLOW
def test_compose_camera_that_changes_its_size_is_fitted(takes, workbench):
    camera = record_changing(takes, replace(CAMERA, jitter=False), ((160, 120), (320, 240)))
    recording = workbench.compose(record(takes, SCREEN), camera, layout="mid")
    assert recording.size_px == (384 + 288, 216)
    for x_px in (384 + 8, -8):
        assert [recording.colour_at(time_s, x_px, 108) for time_s in (0.5, 1.5, 2.5)] == ["cyan", "magenta", "white"]
