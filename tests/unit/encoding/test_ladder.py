"""The ladder: which renditions a source gets, at which sizes and levels."""

import pytest

from podjobs.encoding.ladder import choose_level, choose_renditions, fit_size
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import VideoFacts


def video(width_px, height_px, frame_rate=25.0):
    return VideoFacts(
        index=0, codec="h264", width_px=width_px, height_px=height_px, frame_rate=frame_rate, start_s=0, frames=None
    )


def settings(**changes):
    return EncodingSettings(media_root="/media", **changes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1920, 1080), [("360", 640, 360), ("720", 1280, 720), ("1080", 1920, 1080)]),
        ((1280, 720), [("360", 640, 360), ("720", 1280, 720)]),
        ((1919, 1079), [("360", 640, 360), ("720", 1280, 720)]),
        ((320, 240), [("360", 320, 240)]),  # below the lowest: kept at its own size under the lowest name
        ((200, 100), [("360", 200, 100)]),
        (
            (1080, 1920),
            [("360", 360, 640), ("720", 720, 1280), ("1080", 1080, 1920)],
        ),  # portrait: the short side counts
        ((1080, 1080), [("360", 360, 360), ("720", 720, 720), ("1080", 1080, 1080)]),
        ((4096, 1716), [("360", 860, 360), ("720", 1718, 720), ("1080", 2578, 1080)]),
        ((853, 480), [("360", 640, 360)]),
        ((3, 3), [("360", 4, 4)]),
    ],
)
def test_choose_renditions_source_size_decides_names_and_sizes(source, expected):
    chosen = choose_renditions(video(*source), settings())
    assert [(rendition.name, rendition.width_px, rendition.height_px) for rendition in chosen] == expected


def test_choose_renditions_threshold_admits_without_scaling_up():
    ladder = [
        {"resolution": "640x360", "maxrate": "1000k", "audio_bitrate": "96k"},
        {
            "resolution": "1920x1080",
            "maxrate": "4500k",
            "audio_bitrate": "192k",
            "encoding_resolution_threshold": 10,
        },
    ]
    chosen = choose_renditions(video(1778, 1000), settings(video_renditions=ladder))
    assert [(rendition.name, rendition.height_px) for rendition in chosen] == [("360", 360), ("1080", 1000)]


def test_choose_renditions_threshold_of_one_source_size_leaves_out_the_copy():
    ladder = [
        {"resolution": "640x360", "maxrate": "1000k", "audio_bitrate": "96k", "encoding_resolution_threshold": 0},
        {"resolution": "1280x720", "maxrate": "3000k", "audio_bitrate": "96k", "encoding_resolution_threshold": 50},
        {"resolution": "1920x1080", "maxrate": "4500k", "audio_bitrate": "96k", "encoding_resolution_threshold": 70},
    ]
    chosen = choose_renditions(video(640, 360), settings(video_renditions=ladder))
    assert [rendition.name for rendition in chosen] == ["360"]


def test_choose_renditions_operator_settings_override_tuning():
    chosen = choose_renditions(video(1920, 1080), settings(ffmpeg_crf=27, ffmpeg_preset="veryslow", ffmpeg_level="4.2"))
    assert {(rendition.crf, rendition.preset, rendition.level) for rendition in chosen} == {(27, "veryslow", "4.2")}


def test_choose_renditions_level_too_low_is_raised():
    """Pod's default level 3 would mislabel 720p and 1080p streams."""
    chosen = choose_renditions(video(1920, 1080), settings(ffmpeg_level="3"))
    assert [rendition.level for rendition in chosen] == ["3", "3.1", "4"]


@pytest.mark.parametrize(
    ("width_px", "height_px", "frame_rate", "references", "maxrate_bps", "level"),
    [
        # 40 × 23 = 920 macroblocks; at 25 fps 23,000 a second: level 2.2 allows 20,250, level 3 40,500
        (640, 360, 25, 1, 1_000_000, "3"),
        # 80 × 45 = 3,600 macroblocks at 30 fps: 108,000 a second, exactly level 3.1
        (1280, 720, 30, 2, 3_000_000, "3.1"),
        (1280, 720, 30.1, 2, 3_000_000, "3.2"),
        (1280, 720, 60, 2, 3_000_000, "3.2"),
        # 120 × 68 = 8,160 at 30 fps: 244,800 of 245,760
        (1920, 1080, 30, 4, 4_500_000, "4"),
        (1920, 1080, 30, 5, 4_500_000, "5"),  # 40,800 in the buffer: 4.2 allows 34,816
        (1920, 1080, 60, 4, 4_500_000, "4.2"),
        (1920, 1080, 30, 4, 30_000_000, "4.1"),
        (3840, 2160, 30, 3, 15_000_000, "5.1"),
        (4096, 16, 25, 1, 1_000_000, "4"),  # 256 macroblocks long: √(8 × 8,192) = 256
    ],
)
def test_choose_level_table_a1(width_px, height_px, frame_rate, references, maxrate_bps, level):
    assert choose_level(width_px, height_px, frame_rate, references, maxrate_bps) == level


@pytest.mark.parametrize(
    ("size", "nominal", "fitted"),
    [((1366, 768), 720, (1280, 720)), ((1366, 768), 1080, (1366, 768)), ((101, 57), 360, (100, 56))],
)
def test_fit_size_sides_are_even_and_never_larger(size, nominal, fitted):
    assert fit_size(*size, nominal) == fitted
