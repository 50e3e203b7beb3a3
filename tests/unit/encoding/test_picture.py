"""Frame rates and colours: what is done to which source."""

import pytest

from podjobs.encoding.picture import choose_decimation, output_matrix, scale_options
from podjobs.media.facts import VideoFacts


def video(height_px=1080, **facts):
    values = {"index": 0, "codec": "h264", "width_px": 1920, "height_px": height_px, "frame_rate": 25, "start_s": 0}
    return VideoFacts(frames=None, **(values | facts))


@pytest.mark.parametrize(
    ("rate", "highest", "decimation"),
    [
        (0, 60, 1),  # unknown
        (25, 60, 1),
        (60, 60, 1),
        (60.02, 60, 1),  # a phone's idea of 60
        (75, 60, 2),  # 37.5
        (120, 60, 2),
        (144, 60, 4),  # 72 are still too many: 36
        (240, 60, 4),
        (50, 30, 2),
    ],
)
def test_choose_decimation_halves_until_the_rate_is_allowed(rate, highest, decimation):
    assert choose_decimation(rate, highest) == decimation


@pytest.mark.parametrize(
    ("facts", "matrix", "options"),
    [
        ({"matrix": "bt709"}, "bt709", {}),
        ({}, "bt709", {}),  # does not say, HD
        ({"height_px": 576}, "smpte170m", {}),  # does not say, SD
        ({"matrix": "bt470bg"}, "smpte170m", {}),
        ({"matrix": "smpte170m", "height_px": 1080}, "smpte170m", {}),
        ({"matrix": "bt2020nc"}, "bt709", {"in_color_matrix": "bt2020", "out_color_matrix": "bt709"}),
        ({"matrix": "bt709", "full_range": True}, "bt709", {"in_range": "pc", "out_range": "tv"}),
        ({"pixel_format": "gbrp"}, "bt709", {"out_color_matrix": "bt709", "out_range": "tv"}),
        ({"matrix": "bt2020nc", "transfer": "smpte2084"}, "bt709", {}),  # tone mapping does it
    ],
)
def test_colours_keep_a_matrix_browsers_know_and_are_converted_from_others(facts, matrix, options):
    source = video(**facts)
    assert output_matrix(source) == matrix
    assert scale_options(source, matrix) == options


def test_scale_options_of_credits_lead_to_the_main_videos_matrix():
    assert scale_options(video(height_px=480), "bt709") == {"in_color_matrix": "bt601", "out_color_matrix": "bt709"}
    assert scale_options(video(), "smpte170m") == {"in_color_matrix": "bt709", "out_color_matrix": "bt601"}
