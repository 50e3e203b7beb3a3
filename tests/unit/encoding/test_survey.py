"""What key frames all over a source say about its picture."""

import pytest

from podjobs.encoding.survey import KeyPicture, apply_survey, choose_places, read_survey
from podjobs.media.facts import VideoFacts


def video(codec="h264", size_px=(320, 180), turn_degrees=0):
    width_px, height_px = size_px
    return VideoFacts(
        index=0, codec=codec, width_px=width_px, height_px=height_px, frame_rate=25, start_s=0, frames=None,
        turn_degrees=turn_degrees,
    )  # fmt: skip


def pictures(*sizes_px):
    return [KeyPicture(size_px) for size_px in sizes_px]


@pytest.mark.parametrize(
    ("start_s", "duration_s", "places_s"),
    [
        (0, 3.2, (3.2 / 6, 3.2 / 2, 3.2 * 5 / 6)),
        (7, 0.3, (7.15,)),
        (7, None, (7,)),
    ],
)
def test_choose_places_short_source_is_looked_at_once_a_second(start_s, duration_s, places_s):
    assert choose_places(start_s, duration_s) == pytest.approx(places_s)


def test_choose_places_long_source_is_looked_at_evenly_and_not_too_often():
    places_s = choose_places(0, 7200)
    assert len(places_s) == 120
    assert (places_s[0], places_s[1], places_s[-1]) == (30, 90, 7170)


def test_read_survey_packets_show_frames_or_nothing():
    output = (
        "packet|pts_time=0.040000|flags=K_\n"
        "frame|width=720|height=576|sample_aspect_ratio=64:45|pict_type=I\n"
        "packet|pts_time=2.000000|flags=K_\n"
        "packet|pts_time=4.000000|flags=__\n"
        "frame|width=320|height=180|sample_aspect_ratio=N/A|pict_type=P\n"
        "packet|pts_time=0.040000|flags=K_\n"
        "frame|width=720|height=576|sample_aspect_ratio=64:45|pict_type=I\n"
        "packet|pts_time=N/A|flags=K_\n"
    )
    assert read_survey(output) == (
        KeyPicture((1024, 576)),
        KeyPicture(None),
        KeyPicture((320, 180), is_intra=False),
        KeyPicture(None),
    )


@pytest.mark.parametrize(
    ("sizes_px", "largest_px", "sizes"),
    [
        ([(320, 180)] * 3, (320, 180), 1),
        ([(320, 180), (640, 360)], (640, 360), 2),
        ([(1280, 720), (320, 180)], (1280, 720), 2),
        # equally large: the one that is shown longest
        ([(180, 320), (180, 320), (320, 180)], (180, 320), 2),
        ([None], (320, 180), 1),
        ([], (320, 180), 1),
    ],
)
def test_apply_survey_the_largest_size_counts(sizes_px, largest_px, sizes):
    found = apply_survey(video(), pictures(*sizes_px), is_complete=False)
    assert (found.width_px, found.height_px) == largest_px
    assert found.sizes == sizes
    assert found.changes_size == (sizes > 1)


def test_apply_survey_turned_picture_is_measured_as_it_is_displayed():
    found = apply_survey(video(size_px=(180, 320), turn_degrees=90), pictures((320, 180), (640, 360)), is_complete=True)
    assert (found.width_px, found.height_px, found.sizes) == (360, 640, 2)


@pytest.mark.parametrize(("codec", "is_complete", "may_change"), [("vp8", False, True), ("vp8", True, False)])
def test_apply_survey_picture_of_a_call_may_change_between_the_places(codec, is_complete, may_change):
    found = apply_survey(video(codec), pictures((320, 180)), is_complete=is_complete)
    assert found.changes_size == may_change
    assert found.sizes == 1


@pytest.mark.parametrize(
    ("picture", "is_false"),
    [
        (KeyPicture((320, 180)), False),
        (KeyPicture(None), True),
        (KeyPicture((320, 180), is_intra=False), True),
    ],
)
def test_apply_survey_key_frames_that_show_nothing_by_themselves_are_false(picture, is_false):
    assert apply_survey(video(), [KeyPicture((320, 180)), picture], is_complete=True).false_keys == is_false
