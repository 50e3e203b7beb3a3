"""Sources that cannot be decoded at once from the packets that are marked as key frames: nothing is lost at a join."""

from fractions import Fraction

import pytest

from support.fidelity.checks import check_file, check_segments, shown_of
from support.fidelity.marks import bar_code, chirps
from support.media import ffmpeg, packets

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x265-params")
REFRESHED = (*X264, "-x264-params", "intra-refresh=1:keyint=60:bframes=0:ref=1")
"""No key frame but the first: columns are refreshed one after another, and the picture is right after 2.4 s."""


def marked(path, *coding, length_s=8, rate="25", size="320x180"):
    """A source whose frames carry their numbers, every 24th a chirp."""
    ffmpeg(
        "-f", "lavfi", "-t", length_s, "-i", f"testsrc2=s={size}:r={rate},{bar_code()}",
        "-f", "lavfi", "-i", chirps(Fraction(rate), length_s), *coding, path,
    )  # fmt: skip
    return path


def mark_all_as_key_frames(path, copy=None):
    """In an MP4 file without a list of key frames every frame is one; the flags go along into a copy."""
    data = path.read_bytes()
    place = data.index(b"stss")
    path.write_bytes(data[:place] + b"free" + data[place + 4 :])
    if copy is not None:
        ffmpeg("-i", path, "-c", "copy", copy)


def check(workbench, source, *, least_chunks=2, **request):
    """All frames of a source are in their places, without its having been encoded in one piece."""
    cut_s = (request.get("cut_start", 0.0), request.get("cut_end", float("inf")))
    expected = shown_of(source, cut_s=cut_s)
    workbench.encode(source.name, **request)
    for name in ("180p.mp4", "180p.ts"):
        assert check_file(workbench.output / name, expected) == []
    assert check_segments(workbench.output / "180p.m3u8") == []
    assert len(workbench.recipe.chunks) >= least_chunks
    assert workbench.recipe.generation == 0
    assert not any("could not be decoded" in sentence for sentence in workbench.run.log)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name", [pytest.param(f"talk.{kind}", marks=SLOW) for kind in ("mkv", "mp4", "ts", "mov", "flv")]
)
def test_encode_picture_that_is_refreshed_little_by_little_loses_no_frames(workbench, name):
    source = marked(workbench.folder / name, *REFRESHED)
    check(workbench, source, least_chunks=3)
    assert workbench.recipe.facts.video.false_keys


@pytest.mark.slow
def test_encode_refreshed_picture_in_fragments(workbench):
    check(workbench, marked(workbench.folder / "talk.mp4", *REFRESHED, "-movflags", "+frag_keyframe+empty_moov"))


@pytest.mark.slow
def test_encode_refreshed_picture_of_broadcast_rate_is_cut_exactly(workbench):
    source = marked(workbench.folder / "talk.mkv", *REFRESHED, rate="30000/1001")
    check(workbench, source, cut_start=3.3, cut_end=7.1)


OPEN_GROUPS = {
    "h264": (*X264, "-bf", 3, "-x264-params", "open-gop=1:keyint=50"),
    "hevc": (*X265, "open-gop=1:keyint=50:bframes=4:log-level=none"),
    "mpeg2": ("-c:v", "mpeg2video", "-g", 50, "-bf", 2, "-flags", "-cgop", "-q:v", 3),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        pytest.param(f"talk.{kind}", coding, id=f"{codec}-{kind}", marks=() if is_quick else SLOW)
        for codec, coding in OPEN_GROUPS.items()
        for kind in ("mkv", "ts", "mp4")
        for is_quick in [(codec, kind) == ("h264", "mkv")]
    ],
)
def test_encode_open_groups_lose_no_leading_pictures(workbench, name, coding):
    check(workbench, marked(workbench.folder / name, *coding), least_chunks=3)


RARE_KEYS = {
    "h264": (*X264, "-g", 100),
    "h264 reordered": (*X264, "-g", 100, "-bf", 3),
    "hevc": (*X265, "keyint=100:log-level=none"),
    "mpeg4": ("-c:v", "mpeg4", "-g", 100, "-q:v", 3),
    "vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, "-g", 100),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        *(
            pytest.param(f"talk.{kind}", coding, id=f"{codec}-{kind}", marks=() if is_quick else SLOW)
            for codec, coding in RARE_KEYS.items()
            for kind in ("mp4", "mkv")
            for is_quick in [(codec, kind) == ("h264 reordered", "mp4")]
        ),
        pytest.param("talk.ts", RARE_KEYS["h264"], id="h264-ts", marks=SLOW),
        pytest.param("talk.flv", RARE_KEYS["h264"], id="h264-flv", marks=SLOW),
    ],
)
def test_encode_false_key_flags_neither_lose_nor_damage_frames(workbench, name, coding):
    """Some decoders show nothing after a false flag, others grey and smeared pictures, whose numbers are unreadable."""
    file = marked(workbench.folder / "false.mp4", *coding)
    mark_all_as_key_frames(file, None if name == "talk.mp4" else workbench.folder / name)
    source = file.rename(workbench.folder / name) if name == "talk.mp4" else workbench.folder / name
    check(workbench, source)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["libvpx", pytest.param("libvpx-vp9", marks=SLOW)])
def test_encode_hidden_frames_are_not_missed(workbench, codec):
    """Alternative references are packets, or parts of packets, that are never shown."""
    hidden = ("-c:v", codec, "-deadline", "good", "-cpu-used", 5, "-auto-alt-ref", 1, "-lag-in-frames", 16, "-g", 40)
    check(workbench, marked(workbench.folder / "talk.webm", *hidden), least_chunks=3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "coding",
    [
        (*X264, "-bf", 3, "-g", 50),
        pytest.param((*X265, "keyint=50:bframes=3:log-level=none", "-tag:v", "HEVC"), marks=SLOW),
        # its packets hold two frames each, where there are B-frames
        pytest.param(("-c:v", "libxvid", "-q:v", 3, "-bf", 2, "-g", 50), marks=SLOW),
    ],
    ids=["h264", "hevc", "xvid"],
)
def test_encode_avi_that_stores_no_times_of_reordered_frames_loses_none(workbench, coding):
    """Where the first picture lies beside the sound, the file does not tell: at most one frame from ffmpeg's guess."""
    source = marked(workbench.folder / "talk.avi", *coding)
    workbench.encode(source.name)
    seen, expected = shown_of(workbench.output / "180p.mp4"), shown_of(source)
    assert seen.numbers == expected.numbers
    assert seen.times_s == pytest.approx(expected.times_s, abs=0.001)
    assert seen.offsets_s == pytest.approx(expected.offsets_s, abs=0.045)
    assert len(workbench.recipe.chunks) >= 3
    assert workbench.recipe.generation == 0


def test_encode_avi_that_stores_no_times_keeps_its_pauses(workbench):
    slides = "select='eq(mod(n,50),0)+gte(n,150)'"
    source = workbench.folder / "talk.avi"
    ffmpeg("-f", "lavfi", "-t", 8, "-i", "testsrc2=s=320x180:r=25", "-vf", slides, *X264, "-bf", 3, source)
    workbench.encode("talk.avi")
    times_s = [pts_s for pts_s, _, _ in packets(workbench.output / "180p.ts")]
    assert len(times_s) == 53
    assert times_s[-1] - times_s[0] > 7.5


def test_encode_slides_are_no_holes(workbench):
    """Four frames in 16 s: where most chunks begin, the source has none."""
    source = workbench.folder / "talk.mkv"
    slides = "select='eq(n,0)+eq(n,90)+eq(n,240)+eq(n,399)'"
    ffmpeg(
        "-f", "lavfi", "-t", 16, "-i", "testsrc2=s=320x180:r=25", "-vf", slides, "-fps_mode", "passthrough", *X264,
        source,
    )  # fmt: skip
    workbench.encode("talk.mkv")
    assert len(packets(workbench.output / "180p.ts")) == 4
    assert workbench.recipe.generation == 0
    assert workbench.run.log == []


@pytest.mark.slow
def test_encode_only_a_late_key_frame_is_false_frames_are_found_missing_and_brought_back(workbench, tmp_path):
    """A sample of key frames did not show it: each chunk looks for itself."""
    source = marked(workbench.folder / "talk.mp4", *X264, "-g", 250)
    data = bytearray(source.read_bytes())
    place = data.index(b"stss")
    # one entry, the first frame, becomes frame 80: decoding begins there in the middle of a group
    assert int.from_bytes(data[place + 8 : place + 12]) == 1
    data[place + 12 : place + 16] = (80).to_bytes(4)
    source.write_bytes(data)
    check(workbench, source)
