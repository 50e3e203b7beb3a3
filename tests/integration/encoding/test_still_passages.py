"""Pictures that stay: slides, pauses of a screen recording, credits of another rate. Lengths and times stay right."""

from itertools import pairwise

import m3u8
import pytest

from support.media import ffmpeg, make_video, packets

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def uneven(path, kept, *, duration_s, sound=True):
    """A recording at 25 frames a second, of which only some are there."""
    sounds = ["-f", "lavfi", "-i", f"sine=d={duration_s}"] if sound else []
    picture = f"testsrc2=s=320x180:r=25:d={duration_s}"
    ffmpeg("-f", "lavfi", "-i", picture, *sounds, "-vf", f"select='{kept}'", "-fps_mode", "vfr", *X264, path)


def first_s(workbench):
    """Where the picture begins, after the sound's beginning; seconds."""
    made = workbench.output / "180p.mp4"
    return min(packets(made))[0] - min(packets(made, "a"))[0]


def playlist_s(workbench):
    playlist = m3u8.load(str(workbench.output / "180p.m3u8"))
    assert all(round(segment.duration) <= playlist.target_duration for segment in playlist.segments)
    return sum(segment.duration for segment in playlist.segments)


def test_encode_recording_that_slows_down_keeps_its_length_in_the_playlist(workbench):
    """ffmpeg takes the frames of the last segment for equally long."""
    uneven(workbench.folder / "talk.mp4", "lt(t,4)+not(mod(n,5))", duration_s=8)
    info = workbench.encode("talk.mp4")
    assert playlist_s(workbench) == pytest.approx(8, abs=0.05)
    assert info["duration"] == 8
    assert "cut off" not in info["encoding_log"]["encoding"]["msg"]


@pytest.mark.parametrize("rate", [5, 60])
def test_encode_ending_of_another_rate_keeps_its_length_in_the_playlist(workbench, rate):
    make_video(workbench.folder / "talk.mp4", duration_s=4, size="320x180")
    make_video(workbench.root / "videos" / "ending.mp4", duration_s=4, size="320x180", rate=rate)
    dressing = {"ending_credits": "slug", "ending_credits_video": "videos/ending.mp4"}
    info = workbench.encode("talk.mp4", json_dressing=dressing)
    assert playlist_s(workbench) == pytest.approx(8, abs=0.05)
    assert info["duration"] == 8


@pytest.mark.parametrize(
    ("rate", "duration_s", "cut", "frames"),
    [
        ("1/10", 20, (2, 8), 1),
        ("1", 10, (2.5, 6.2), 5),  # those of 2 to 6 s, the first of them from the cut on
        ("25", 5, (1.001, 1.002), 1),
        ("25", 5, (4.97, 5), 1),
    ],
)
def test_encode_cut_within_a_long_frame_shows_it_from_the_beginning(workbench, rate, duration_s, cut, frames):
    make_video(workbench.folder / "talk.mp4", duration_s=duration_s, size="320x180", rate=rate)
    info = workbench.encode("talk.mp4", cut_start=cut[0], cut_end=cut[1])
    assert len(packets(workbench.output / "180p.ts")) == frames
    assert info["duration"] == int(cut[1] - cut[0])
    if cut[1] - cut[0] > 1:
        assert first_s(workbench) == pytest.approx(0, abs=0.03)
        assert playlist_s(workbench) == pytest.approx(cut[1] - cut[0], abs=0.05)


@pytest.mark.parametrize(("cut", "length_s"), [((6, 15), 9), ((5, 12), 7)])
def test_encode_cut_within_a_pause_of_the_picture_shows_what_was_seen(workbench, cut, length_s):
    uneven(workbench.folder / "talk.mp4", "lt(t,3)+between(t,13,16)", duration_s=20)
    info = workbench.encode("talk.mp4", cut_start=cut[0], cut_end=cut[1])
    assert first_s(workbench) == pytest.approx(0, abs=0.03)
    assert info["duration"] == length_s
    assert playlist_s(workbench) == pytest.approx(length_s, abs=0.05)
    assert "cut off" not in info["encoding_log"]["encoding"]["msg"]


@pytest.mark.slow
def test_encode_cut_within_a_long_frame_after_opening_credits(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=20, size="320x180", rate="1/10")
    make_video(workbench.root / "videos" / "opening.mp4", duration_s=2, size="320x180")
    dressing = {"opening_credits": "slug", "opening_credits_video": "videos/opening.mp4"}
    workbench.encode("talk.mp4", json_dressing=dressing, cut_start=4, cut_end=16)
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert [round(time - times[0], 2) for time in times[50:]] == [2.0, 8.0]


@pytest.mark.parametrize(("rate", "duration_s"), [("1/4", 8), ("1/10", 20)])
def test_encode_two_slides_with_sound(workbench, rate, duration_s):
    make_video(workbench.folder / "talk.mp4", duration_s=duration_s, size="320x180", rate=rate)
    info = workbench.encode("talk.mp4")
    assert info["duration"] == duration_s
    assert not any("once more" in sentence for sentence in workbench.run.log)


@pytest.mark.slow
def test_encode_credits_whose_sound_goes_on_freeze_their_last_picture(workbench):
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-f", "lavfi", "-i", "sine=d=5", *X264,
        workbench.root / "videos" / "opening.mp4",
    )  # fmt: skip
    make_video(workbench.folder / "talk.mp4", duration_s=4, size="320x180")
    dressing = {"opening_credits": "slug", "opening_credits_video": "videos/opening.mp4"}
    info = workbench.encode("talk.mp4", json_dressing=dressing)
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert info["duration"] == 9
    assert max(after - before for before, after in pairwise(times)) < 1.05
