"""Pictures that Matroska cannot store: which ones, how they are coded, and what that may cost."""

import pytest

from podjobs.encoding.storing import expect_cost, is_coded_anew, store_video
from podjobs.media.facts import MediaFacts, VideoFacts


def facts(codec="gif", pixel_format="bgra", size_px=(640, 480), frames=100, duration_s=10.0):
    video = VideoFacts(
        index=0, codec=codec, width_px=size_px[0], height_px=size_px[1], frame_rate=10, start_s=0, frames=frames,
        pixel_format=pixel_format,
    )  # fmt: skip
    return MediaFacts(format_name="avi", start_s=0, duration_s=duration_s, video=video, audio=None)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "anew"),
    [
        ("gif", "bgra", True),
        ("flashsv2", "bgr24", True),
        ("tscc", "bgr24", False),
        ("tscc", "pal8", True),
        ("tscc", "", True),  # not opened yet
        ("rawvideo", "pal8", True),
        ("rawvideo", "", False),
        ("zmbv", "pal8", False),  # its palette is in its packets
        ("rpza", "rgb555le", True),
        ("h264", "", False),
    ],
)
def test_is_coded_anew_what_a_copy_would_lose(codec, pixel_format, anew):
    assert is_coded_anew(facts(codec, pixel_format).video) is anew


@pytest.mark.parametrize(("size_px", "coder"), [((4095, 100), "flashsv"), ((100, 4096), "ffv1")])
def test_store_video_in_a_codec_that_has_pictures_so_large(size_px, coder):
    assert store_video(facts(size_px=size_px))["c:v"] == coder


def test_store_video_only_a_gif_repeats_its_last_picture():
    assert "tpad" in store_video(facts())["filter:v"]
    assert "filter:v" not in store_video(facts("tscc", "pal8"))
    assert store_video(facts("h264", "yuv420p")) == {}


@pytest.mark.parametrize(
    ("given", "size_bytes", "cost"),
    [
        # 100 frames × 307,200 / 50 M; 8 × 1 MB + 2 key frames × 4 × 307,200
        (facts(), 1_000_000, (0.6144, 8_000_000 + 2_457_600)),
        # a file of 800 bytes has at most 100 frames, whatever it claims: 8 × 800 + 2 × 8 × 800
        (facts(frames=10**9), 800, (0.6144, 6_400 + 12_800)),
        # flashsv2 in a live FLV: an hour at most
        (facts("flashsv2", frames=None, duration_s=None), 10**9, (221.184, 8 * 10**9 + 720 * 1_228_800)),
        (facts("h264", "yuv420p"), 1_000_000, (0.0, 0)),
    ],
)
def test_expect_cost_follows_frames_that_the_file_can_have(given, size_bytes, cost):
    assert expect_cost(given, size_bytes, 3600) == (pytest.approx(cost[0]), cost[1])
