"""Recordings whose first packets depend on frames that were not recorded, as joining a live stream leaves them."""

import pytest

from support.fidelity.checks import check_segments
from support.fidelity.marks import bar_code, chirps, read_frames, read_sound, sound_offsets_s
from support.media import ffmpeg

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", 50, "-sc_threshold", 0, "-pix_fmt", "yuv420p", "-c:a", "aac")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-g", 50, "-keyint_min", 50, "-c:a", "libopus")
LENGTH_S = 8


def joined_late(path, dropped, *, with_sound=True):
    """The first packets of the picture are lost; the first frame that can be decoded is number 50, at 2 s."""
    whole = path.with_name(f"whole{path.suffix}")
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25,{bar_code()}", "-f", "lavfi", "-i", chirps(25, LENGTH_S),
        "-t", LENGTH_S, *(VP8 if path.suffix == ".webm" else H264), *(() if with_sound else ("-an",)), whole,
    )  # fmt: skip
    ffmpeg("-i", whole, "-c", "copy", "-copyinkf", "-bsf:v", f"noise=drop='lt(n,{dropped})'", path)
    whole.unlink()
    return path


def shown_late(file):
    """The held frames, the others, and how much later than its picture each chirp sounds."""
    frames = read_frames(file)
    moving = next(place for place, frame in enumerate(frames) if frame.number == 51) - 1
    offsets_s = sound_offsets_s(frames[moving:], read_sound(file))
    return frames[:moving], frames[moving:], offsets_s


@pytest.mark.parametrize(
    ("suffix", "dropped"),
    [
        *((".mkv", 30), (".ts", 30), (".webm", 1)),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in ((".mp4", 30), (".mkv", 1), (".mov", 1), (".flv", 30))),
    ],
)
def test_encode_picture_is_held_until_the_first_frame_that_can_be_decoded(workbench, suffix, dropped):
    source = joined_late(workbench.folder / f"talk{suffix}", dropped)
    info = workbench.encode(source.name)
    # a sound that is ahead by a frame is shortened, as everywhere
    assert info["duration"] == (LENGTH_S - 1 if dropped == 1 else LENGTH_S)
    for name in ("180p.mp4", "180p.ts"):
        held, moving, offsets_s = shown_late(workbench.output / name)
        assert {frame.number for frame in held} == {50}
        assert moving[0].time_s - held[0].time_s == pytest.approx(2.0, abs=0.1)
        assert [frame.number for frame in moving] == list(range(50, 200))
        assert moving[-1].time_s - moving[0].time_s == pytest.approx(149 / 25, abs=0.003)
        assert max(abs(offset_s) for offset_s in offsets_s.values()) < 0.05
    assert check_segments(workbench.output / "180p.m3u8") == []
    assert len(info["list_thumbnail_files"]) == 3
    message = info["encoding_log"]["encoding"]["msg"]
    assert "the first frame is shown from the beginning on" in message
    assert "once more" not in message


@pytest.mark.slow
@pytest.mark.parametrize("cut_s", [(1, 6), (3, 6)])
def test_encode_cut_of_a_late_picture_counts_from_the_sound(workbench, cut_s):
    joined_late(workbench.folder / "talk.mkv", 30)
    begin_s, end_s = cut_s
    assert workbench.encode("talk.mkv", cut_start=begin_s, cut_end=end_s)["duration"] == end_s - begin_s
    frames = read_frames(workbench.output / "180p.mp4")
    numbers = [frame.number for frame in frames]
    assert numbers[-1] == end_s * 25 - 1
    assert [*dict.fromkeys(numbers)] == list(range(max(50, begin_s * 25), end_s * 25))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_encode_silent_picture_begins_with_the_first_frame_that_can_be_decoded(workbench, suffix):
    source = joined_late(workbench.folder / f"talk{suffix}", 10, with_sound=False)
    info = workbench.encode(source.name)
    message = info["encoding_log"]["encoding"]["msg"]
    assert info["duration"] == LENGTH_S - 2
    for name in ("180p.mp4", "180p.ts"):
        frames = read_frames(workbench.output / name)
        assert [frame.number for frame in frames] == list(range(50, 200))
        assert frames[-1].time_s - frames[0].time_s == pytest.approx(149 / 25, abs=0.003)
    assert "cannot be decoded, as its beginning is missing" in message
    assert "could be read" not in message
