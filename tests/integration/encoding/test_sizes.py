"""Pictures that change their size: calls that begin tiny, phones that are turned, clips that were joined."""

import subprocess
from itertools import groupby

import numpy as np
import pytest

from support.media import ffmpeg, probe
from support.media_storages import POD_ROOT

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "50")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-g", "50", "-x265-params")
HDR = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none"
LIVE = ("-deadline", "realtime", "-cpu-used", "8", "-g", "50")
PART_S = 2
TINY, SMALL, LARGE, TURNED, OLD = (160, 90), (320, 180), (640, 360), (360, 640), (480, 360)


def part(path, size_px, *coding):
    """A red square, a third as large as the picture's short side, in the middle of grey."""
    width_px, height_px = size_px
    side_px = 2 * round(min(size_px) / 6)
    square = f"drawbox=(iw-{side_px})/2:(ih-{side_px})/2:{side_px}:{side_px}:red:t=fill"
    picture = f"color=gray:s={width_px}x{height_px}:r=25,{square}"
    pixels = () if "-pix_fmt" in coding else ("-pix_fmt", "yuv420p")
    ffmpeg("-f", "lavfi", "-t", PART_S, "-i", picture, *pixels, *coding, path)


def joined(path, sizes_px, *coding):
    """Parts of these sizes, one after another, in one file."""
    folder = path.parent / "parts"
    folder.mkdir()
    kind = "webm" if path.suffix == ".webm" else "ts"
    parts = [folder / f"{number}.{kind}" for number in range(len(sizes_px))]
    for number, (file, size_px) in enumerate(zip(parts, sizes_px, strict=True)):
        clock = () if kind == "webm" else ("-output_ts_offset", number * PART_S, "-muxdelay", 0)
        part(file, size_px, *coding, *clock)
    if kind == "webm":
        (folder / "list").write_text("".join(f"file '{file}'\n" for file in parts))
        ffmpeg("-f", "concat", "-safe", 0, "-i", folder / "list", "-c", "copy", path)
    else:
        whole = folder / "whole.ts"
        whole.write_bytes(b"".join(file.read_bytes() for file in parts))
        ffmpeg("-i", whole, "-c", "copy", path)
    return path


def squares(file):
    """The shapes of the square, one after another: its width in heights, its height in those of the picture."""
    stream = probe(file, "stream=codec_type,width,height")["streams"][0]
    argv = ["ffmpeg", "-v", "error", "-i", str(file), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    raw = subprocess.run([*argv, "-fps_mode", "passthrough", "-"], check=True, capture_output=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, stream["height"], stream["width"], 3).astype(int)
    shapes = []
    for frame in frames:
        red = (frame[:, :, 0] > 150) & (frame[:, :, 1] < 110)
        width_px, height_px = red.any(0).sum(), red.any(1).sum()
        # edges may be blurred
        shapes.append((round(float(width_px / height_px), 1), round(float(height_px / stream["height"]) - 0.02, 1)))
    return (stream["width"], stream["height"]), [(shape, len([*same])) for shape, same in groupby(shapes)]


def decoded_times(file):
    """Different times of the frames that ffmpeg decodes by itself: decoders lose one where some codecs change."""
    argv = ["ffmpeg", "-v", "quiet", "-i", str(file), "-map", "0:v", "-vf", "scale=16:16", "-fps_mode", "passthrough"]
    argv += ["-enc_time_base", "1:90000", "-f", "framecrc", "-"]
    lines = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split(",")[2] for line in lines if not line.startswith("#")}


THIRD, OF_TURNED, OF_LYING = 0.3, 0.2, 0.2
"""How high the square is in a picture that fills the frame; in one that stands in a lying frame; and the reverse."""


SLOW = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        pytest.param("talk.webm", ("-c:v", "libvpx", *LIVE), id="vp8", marks=SLOW),
        pytest.param("talk.webm", ("-c:v", "libvpx-vp9", *LIVE), id="vp9", marks=SLOW),
        pytest.param("talk.mkv", X264, id="mkv"),
        pytest.param("talk.mp4", X264, id="mp4", marks=SLOW),
        pytest.param("talk.ts", X264, id="ts", marks=SLOW),
        pytest.param("talk.flv", X264, id="flv", marks=SLOW),
        pytest.param("talk.ts", (*X265, "log-level=none"), id="hevc", marks=SLOW),
        pytest.param("talk.ts", ("-c:v", "mpeg2video", "-g", 25, "-q:v", 3), id="mpeg2", marks=SLOW),
        pytest.param("talk.ts", (*X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1"), id="interlaced", marks=SLOW),
        pytest.param("talk.ts", (*X265, HDR, "-pix_fmt", "yuv420p10le"), id="hdr", marks=SLOW),
    ],
)
def test_encode_picture_that_grows_is_as_large_as_its_largest_part(workbench, name, coding):
    source = joined(workbench.folder / name, (SMALL, LARGE), *coding)
    info = workbench.encode(name)
    size_px, shapes = squares(workbench.output / "360p.ts")
    assert size_px == LARGE
    assert [shape for shape, _ in shapes] == [(1.0, THIRD)]
    assert sum(count for _, count in shapes) == len(decoded_times(source)) >= 2 * PART_S * 25 - 2
    assert info["list_video_track"] == {"0": {"width": 640, "height": 360}}
    assert any("has 2 sizes" in sentence for sentence in workbench.run.log)


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        pytest.param("talk.webm", ("-c:v", "libvpx", *LIVE), id="vp8", marks=SLOW),
        pytest.param("talk.mkv", X264, id="mkv", marks=SLOW),
        pytest.param("talk.ts", X264, id="ts"),
    ],
)
def test_encode_phone_that_is_turned_is_not_squeezed(workbench, name, coding):
    joined(workbench.folder / name, (LARGE, TURNED, LARGE), *coding)
    workbench.encode(name)
    size_px, shapes = squares(workbench.output / "360p.ts")
    assert size_px == LARGE
    assert [shape for shape, _ in shapes] == [(1.0, THIRD), (1.0, OF_TURNED), (1.0, THIRD)]


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        pytest.param("talk.webm", ("-c:v", "libvpx", *LIVE), id="vp8", marks=SLOW),
        pytest.param("talk.ts", X264, id="ts", marks=SLOW),
    ],
)
def test_encode_call_that_begins_tiny_is_large(workbench, name, coding):
    """The bandwidth is found step by step; most of the call is large."""
    joined(workbench.folder / name, (TINY, SMALL, LARGE, LARGE), *coding)
    workbench.encode(name)
    size_px, shapes = squares(workbench.output / "360p.ts")
    assert size_px == LARGE
    assert {height for (_, height), _ in shapes} == {THIRD}
    assert any("has 3 sizes" in sentence for sentence in workbench.run.log)


@pytest.mark.slow
@pytest.mark.parametrize("sizes_px", [(OLD, LARGE), (LARGE, OLD)], ids=["widens", "narrows"])
def test_encode_picture_whose_aspect_changes_is_not_squeezed(workbench, sizes_px):
    joined(workbench.folder / "talk.ts", sizes_px, *X264)
    workbench.encode("talk.ts")
    size_px, shapes = squares(workbench.output / "360p.ts")
    assert size_px == LARGE
    assert [shape for shape, _ in shapes] == [(1.0, THIRD)]


@pytest.mark.slow
def test_encode_picture_that_shrinks_keeps_its_size(workbench):
    joined(workbench.folder / "talk.mkv", (LARGE, SMALL), *X264)
    workbench.encode("talk.mkv")
    size_px, shapes = squares(workbench.output / "360p.ts")
    assert size_px == LARGE
    assert {height for (_, height), _ in shapes} == {THIRD}


@pytest.mark.slow
def test_encode_picture_that_is_turned_by_its_header_and_grows(workbench):
    whole = joined(workbench.folder / "whole.mp4", (SMALL, LARGE), *X264)
    ffmpeg("-i", whole, "-c", "copy", "-metadata:s:v", "rotate=90", workbench.folder / "talk.mp4")
    workbench.encode("talk.mp4")
    size_px, shapes = squares(workbench.output / "360p.ts")
    # later versions of ffmpeg write a rotation in another way, and here none
    turns = workbench.recipe.facts.video.turn_degrees % 180 == 90
    assert size_px == (TURNED if turns else LARGE)
    assert {shape for shape, _ in shapes} == {(1.0, OF_LYING if turns else THIRD)}


@pytest.mark.parametrize(
    "coding",
    [
        pytest.param(X264, id="progressive", marks=SLOW),
        pytest.param((*X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1"), id="interlaced", marks=SLOW),
        pytest.param((*X265, HDR, "-pix_fmt", "yuv420p10le"), id="hdr", marks=SLOW),
    ],
)
def test_encode_picture_that_grows_keeps_its_watermark(workbench, coding):
    source = joined(workbench.folder / "talk.ts", (SMALL, LARGE), *coding)
    (workbench.root / "files").mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=blue:s=64x64", "-frames:v", 1, workbench.root / "files" / "logo.png")
    logo = f"{POD_ROOT}/files/logo.png"
    dressing = {"position_orig": "bottom_right", "opacity": 100, "watermark_path": logo}
    workbench.encode("talk.ts", json_dressing=dressing, dressing_input=f' -i "{logo}"')
    argv = ["ffmpeg", "-v", "error", "-i", str(workbench.output / "360p.ts"), "-map", "0:v"]
    argv += ["-vf", "crop=8:8:600:318", "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True).stdout
    colours = np.frombuffer(raw, np.uint8).reshape(-1, 64, 3).mean(1)
    assert len(colours) == len(decoded_times(source)) >= 2 * PART_S * 25 - 2
    assert (colours[:, 2] > 180).all()
    assert (colours[:, 0] < 80).all()


@pytest.mark.slow
def test_encode_credits_that_change_their_size_are_not_squeezed(workbench):
    (workbench.root / "files").mkdir()
    joined(workbench.root / "files" / "opening.mkv", (LARGE, TURNED), *X264)
    part(workbench.folder / "talk.mp4", LARGE, *X264)
    dressing = {"opening_credits": "a-slug", "opening_credits_video": "files/opening.mkv"}
    opening = f"{POD_ROOT}/files/opening.mkv"
    workbench.encode("talk.mp4", json_dressing=dressing, dressing_input=f' -i "{opening}"')
    size_px, shapes = squares(workbench.output / "360p.ts")
    assert size_px == LARGE
    assert all(width == 1.0 for (width, _), _ in shapes)
    assert sum(count for _, count in shapes) == 3 * PART_S * 25
