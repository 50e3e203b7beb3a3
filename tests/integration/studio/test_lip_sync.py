"""A flash and its beep stay together, whatever frames are missing, and for as long as the recording lasts."""

from dataclasses import replace

import pytest

from support.studio_sources import CAMERA, SCREEN, record
from support.studio_workbench import StudioWorkbench

MOST_S = 0.020


def differences_s(recording, x_px, y_px):
    """Beep after flash, for every flash."""
    flashes_s, beeps_s = recording.flashes_s(x_px, y_px), recording.beeps_s()
    assert len(flashes_s) == len(beeps_s)
    return [beep_s - flash_s for flash_s, beep_s in zip(flashes_s, beeps_s, strict=True)]


def test_compose_flash_and_beep_stay_together(takes, workbench):
    """With frames that jitter and are missing, and with a presentation of another rate."""
    camera = replace(CAMERA, length_s=6, flash_every_s=1, sound="beeps")
    screen = replace(SCREEN, length_s=6, sound="none")
    recording = workbench.compose(record(takes, screen), record(takes, camera), layout="pipb")
    found = differences_s(recording, 340, 180)
    assert len(found) == 5
    assert max(map(abs, found)) <= MOST_S


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_compose_flash_and_beep_stay_together_for_an_hour(takes, tmp_path):
    """Every seventh frame of the camera is missing: whoever counts frames is minutes late at the end."""
    hour_s = 3_600
    camera = replace(CAMERA, length_s=hour_s, flash_every_s=60, sound="beeps", size_px=(160, 120), rate="15")
    screen = replace(SCREEN, length_s=hour_s, sound="none", size_px=(192, 108), rate="5")
    workbench = StudioWorkbench(tmp_path / "media", {"podjobs_chunk_min_s": 8})
    recording = workbench.compose(record(takes, screen), record(takes, camera), layout="pipb")
    found = differences_s(recording, 170, 90)
    assert len(found) == 60
    assert max(map(abs, found)) <= MOST_S
    assert abs(len(recording.times_s) / recording.frame_rate - hour_s) < 0.1
