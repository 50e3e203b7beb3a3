"""Animations, single pictures, and pictures of a few pixels or very many in one direction."""

import pytest

from podjobs.contract.errors import PermanentError
from support.handmade import BLUE, GREEN, NOTHING, RED, write_gif
from support.media import colours_of, ffmpeg, packets, probe


def near(colours):
    return [pytest.approx(colour, abs=6) for colour in colours]


RED_RGB, GREEN_RGB, BLUE_RGB, WHITE_RGB = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def test_encode_gif_plays_once_at_its_own_times_until_its_last_picture_ends(workbench):
    """The last picture is shown for three seconds: it is repeated at the end."""
    frames = [(RED, 10), (GREEN, 150), (BLUE, 5), (RED, 300)]
    (workbench.folder / "talk.gif").write_bytes(write_gif(frames))
    info = workbench.encode("talk.gif")
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert [time - times[0] for time in times] == pytest.approx([0, 0.1, 1.6, 1.65, 4.64], abs=0.002)
    assert info["duration"] == 4
    assert colours_of(workbench.output / "180p.mp4") == near([RED_RGB, GREEN_RGB, BLUE_RGB, RED_RGB, RED_RGB])


def test_encode_gif_long_pictures_stay_and_nothing_is_added(workbench):
    (workbench.folder / "slides.gif").write_bytes(write_gif([(colour, 600) for colour in (RED, GREEN, BLUE)]))
    assert workbench.encode("slides.gif")["duration"] == 18


def test_encode_gif_is_white_where_it_is_transparent(workbench):
    (workbench.folder / "talk.gif").write_bytes(write_gif([(RED, 50), (NOTHING, 50), (BLUE, 50), (NOTHING, 50)] * 3))
    workbench.encode("talk.gif")
    assert colours_of(workbench.output / "180p.mp4") == near([RED_RGB, WHITE_RGB, BLUE_RGB, WHITE_RGB] * 3)


def test_encode_gif_of_many_frames(workbench):
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=10", "-t", 5, workbench.folder / "talk.gif")
    assert workbench.encode("talk.gif")["duration"] == 5
    assert len(packets(workbench.output / "180p.ts")) == 50


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "PNG"),
        ("a.jpg", "JPEG"),
        ("a.gif", "GIF"),
        ("a.webp", "WebP"),
        ("animated.webp", "WebP"),
        ("animated.png", "PNG"),
        ("a.bmp", "BMP"),
        ("a.tiff", "TIFF"),
    ],
)
def test_plan_picture_is_refused_as_one(workbench, name, kind):
    """Whatever its name says; an animated WebP cannot be decoded by ffmpeg 5.1."""
    path = workbench.folder / name
    length = ("-t", 1) if "animated" in name else ("-frames:v", 1)
    form = ("-f", "apng") if name == "animated.png" else ()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=10", *length, *form, path)
    path.rename(workbench.folder / "talk.mp4")
    with pytest.raises(PermanentError, match=rf"is a picture \({kind}\), not a video") as refused:
        workbench.encode("talk.mp4")
    assert "Convert it to a video" in refused.value.detail


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ("1x1", (2, 2)),
        ("2x2", (2, 2)),
        pytest.param("16x2", (16, 2), marks=pytest.mark.slow),
        ("15x17", (16, 16)),
        pytest.param("2x1080", (2, 1080), marks=pytest.mark.slow),
        ("5000x4", (5000, 4)),
        pytest.param("4x5000", (4, 5000), marks=pytest.mark.slow),
        ("10000x60", (8192, 50)),
    ],
)
def test_encode_smallest_and_longest_pictures_are_as_large_as_they_are(workbench, size, shown):
    """Twelve seconds: an overview is wanted, and made if browsers can show one."""
    coding = ("-c:v", "ffv1", "-pix_fmt", "bgr0")
    ffmpeg("-f", "lavfi", "-i", f"color=red:s={size}:r=5,format=bgr0", "-t", 12, *coding, workbench.folder / "a.mkv")
    assert workbench.encode("a.mkv")["duration"] == 12
    (stream,) = probe(workbench.output / "180p.mp4", "stream=width,height")["streams"][:1]
    assert (stream["width"], stream["height"]) == shown
    assert len(packets(workbench.output / "180p.ts")) == 60
    assert set(colours_of(workbench.output / "180p.mp4")) == {colours_of(workbench.output / "180p.mp4")[0]}
    assert sorted(file.name for file in workbench.output.glob("thumbnail_*")) != []
    # 90 lines of it would be 112,500 and 14,746 wide; browsers show 65,535
    assert (workbench.output / "overview.png").exists() == (size != "5000x4")


def test_encode_interlaced_picture_too_small_for_the_filter(workbench):
    fields = ("-vf", "setfield=tff", "-flags", "+ilme+ildct", "-top", 1)
    ffmpeg("-f", "lavfi", "-i", "color=red:s=16x2:r=10", "-t", 2, *fields, "-c:v", "mpeg2video",
           workbench.folder / "a.mkv")  # fmt: skip
    workbench.encode("a.mkv")
    assert len(packets(workbench.output / "180p.ts")) == 20


def test_encode_three_frames_of_one_colour(workbench):
    """So few packets that ffprobe would not take the file for MPEG-TS."""
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x48:r=2", "-t", 1.5, "-c:v", "ffv1", workbench.folder / "a.mkv")
    workbench.encode("a.mkv")
    assert probe(workbench.output / "180p.mp4", "stream=nb_frames")["streams"][0]["nb_frames"] == "3"
