"""Sources with odd clocks, lengths and indexes: every frame and every sound keeps its place."""

from itertools import pairwise

import pytest

from support.fidelity.checks import Shown, check_file, check_segments, joined, shown_of
from support.fidelity.marks import bar_code, chirps
from support.media import count_frames, ffmpeg, make_video, packets, probe

SLOW = pytest.mark.slow

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-bf", "2", "-pix_fmt", "yuv420p")


def marked(path, *coding, video_s=12, sound_s=12.2, rate=25, sound=(), video=(), before=()):
    """Every frame carries its number, every 24th one a chirp."""
    picture = f"testsrc2=s=320x180:r={rate},{bar_code()}"
    ffmpeg(
        "-f", "lavfi", "-t", sound_s, "-i", chirps(rate, 60), "-map_metadata", -1, path.parent / "sound.wav"
    )  # fmt: skip
    ffmpeg(
        "-f", "lavfi", "-t", video_s, "-i", picture, *video, *X264, path.parent / "picture.mkv",
    )  # fmt: skip
    ffmpeg(
        *before, "-i", path.parent / "picture.mkv", *sound, "-i", path.parent / "sound.wav", "-map", 0, "-map", 1,
        "-c:v", "copy", *(coding or ("-c:a", "aac")), path,
    )  # fmt: skip
    for name in ("sound.wav", "picture.mkv"):
        (path.parent / name).unlink()
    return path


def check(workbench, expected):
    for name in ("180p.mp4", "180p.ts"):
        assert check_file(workbench.output / name, expected) == []
    assert check_segments(workbench.output / "180p.m3u8") == []
    assert not any("once more" in sentence for sentence in workbench.run.log)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("talk.mkv", {"before": ("-itsoffset", "7.3"), "sound": ("-itsoffset", "7.3")}, marks=SLOW),
        ("talk.mp4", {"sound": ("-ss", "1.7", "-itsoffset", "1.7")}),
        pytest.param("talk.mkv", {"sound": ("-ss", "1.7", "-itsoffset", "1.7")}, marks=SLOW),
        pytest.param("talk.mp4", {"sound": ("-itsoffset", "-0.08")}, marks=SLOW),
        pytest.param("talk.mkv", {"sound_s": 6.5}, marks=SLOW),
        pytest.param("talk.mov", {"coding": ("-c:a", "pcm_s16le", "-ar", "8000", "-ac", "1")}, marks=SLOW),
        pytest.param("talk.mkv", {"coding": ("-c:a", "libmp3lame", "-ar", "22050")}, marks=SLOW),
        ("talk.ts", {}),
        pytest.param("talk.mkv", {"rate": 1, "video_s": 24, "sound_s": 24.5, "sound": ()}, marks=SLOW),
        pytest.param("talk.mp4", {"coding": ("-c:a", "aac", "-movflags", "+frag_keyframe+delay_moov")}, marks=SLOW),
        pytest.param("talk.mkv", {"coding": ("-c:a", "libopus", "-live", "1")}, marks=SLOW),
    ],
    ids=[
        "clock begins at 7 s", "sound late mp4", "sound late mkv", "sound early", "sound short", "8 kHz mono",
        "22 kHz mp3", "transport stream", "one frame a second", "fragmented", "no length no index",
    ],
)  # fmt: skip
def test_encode_frames_and_sound_keep_their_places(workbench, name, make):
    coding = make.pop("coding", ())
    source = marked(workbench.folder / name, *coding, **make)
    workbench.encode(name)
    expected = shown_of(source)
    assert len(expected.numbers) == make.get("rate", 25) * make.get("video_s", 12)
    if make.get("rate") != 1:
        assert len(expected.offsets_s) >= 6
    check(workbench, expected)


@pytest.mark.slow
def test_encode_matroska_without_an_index_is_seeked_all_the_same(workbench):
    source = marked(workbench.folder / "talk.mkv", video_s=30, sound_s=30)
    data = source.read_bytes()
    cues = data.rindex(b"\x1c\x53\xbb\x6b")
    source.write_bytes(data[:cues] + b"\x1c\x53\xbb\x6c" + data[cues + 4 :])  # an element nobody knows
    workbench.encode("talk.mkv")
    check(workbench, shown_of(source))


def test_encode_two_frames_of_one_time_become_one(workbench):
    """As disturbed recorders leave them."""
    doubled = f"testsrc2=s=320x180:r=25,{bar_code()},setpts=N/30/TB,settb=1/90000"  # rounded to a 25th of a second
    source = workbench.folder / "talk.mkv"
    ffmpeg("-f", "lavfi", "-i", doubled, "-frames:v", 300, "-fps_mode", "passthrough", *X264, source)
    times = {packet["pts_time"] for packet in probe(source, "packet=pts_time")["packets"]}
    assert count_frames(source) == 300
    assert len(times) == 250
    workbench.encode("talk.mkv")
    assert len(packets(workbench.output / "180p.ts")) == 250
    assert not any("once more" in sentence for sentence in workbench.run.log)


def frame_times(workbench):
    """Times of the frames from the first one on, seconds; and of the end of the sound."""
    made = workbench.output / "180p.ts"
    times = sorted(pts for pts, _, _ in packets(made))
    return [time - times[0] for time in times], packets(made, "a")[-1][0] - times[0]


def test_encode_still_picture_with_sound_is_shown_all_the_time(workbench):
    """A podcast with a title picture: browsers stop where pictures are missing."""
    marked(workbench.folder / "talk.mp4", video_s=0.04, sound_s=21)
    info = workbench.encode("talk.mp4")
    assert info["duration"] == 21
    times, sound_end_s = frame_times(workbench)
    assert [round(time) for time in times] == list(range(21))
    assert sound_end_s == pytest.approx(21, abs=0.1)
    assert any("the last frame is shown until it ends" in sentence for sentence in workbench.run.log)
    assert len(info["list_thumbnail_files"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("talk.mp4", marks=SLOW), "talk.mkv"])
def test_encode_sound_that_goes_on_shows_the_last_picture_until_it_ends(workbench, name):
    source = marked(workbench.folder / name, video_s=10, sound_s=31)
    expected = shown_of(source)
    info = workbench.encode(name)
    times, sound_end_s = frame_times(workbench)
    assert info["duration"] in {30, 31}
    assert sound_end_s == pytest.approx(31, abs=0.1)
    assert times[:250] == pytest.approx(expected.times_s, abs=0.002)
    assert all(after - before < 1.05 for before, after in pairwise(times))
    assert times[-1] > 29
    first = Shown(expected.numbers, expected.times_s, expected.offsets_s)
    last = Shown([249] * (len(times) - 250), [time - times[250] for time in times[250:]], {})
    check(workbench, joined([(first, times[250]), (last, 0)]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["talk.mp4", pytest.param("talk.mkv", marks=SLOW)])
@pytest.mark.parametrize("cut_start", [pytest.param(0, marks=SLOW), 4.5])
def test_encode_sound_that_begins_early_is_kept_and_the_first_picture_shown(workbench, name, cut_start):
    source = marked(workbench.folder / name, video_s=10, sound_s=20, before=("-itsoffset", "9.6"), sound=())
    expected = shown_of(source)
    info = workbench.encode(name, cut_start=cut_start)
    before_s = 9.6 - cut_start
    times, _ = frame_times(workbench)
    assert info["duration"] in {int(19.6 - cut_start), round(20 - cut_start)}
    own = [place for place, time in enumerate(times) if time > before_s - 0.01][:250]
    assert times[own[0]] == pytest.approx(before_s, abs=0.03)
    shown = [time - times[own[0]] for time in times[own[0] :]]
    assert shown == pytest.approx(expected.times_s, abs=0.002)
    assert all(after - before < 1.05 for before, after in pairwise(times))
    assert check_segments(workbench.output / "180p.m3u8") == []
    sound = [time for time, _, _ in packets(workbench.output / "180p.ts", "a")]
    assert sound[0] == pytest.approx(min(packets(workbench.output / "180p.ts"))[0], abs=0.05)


def test_encode_silent_clip_of_two_seconds(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=2, sound=False)
    info = workbench.encode("talk.mp4")
    assert info["duration"] == 2
    assert info["list_mp3_files"] == {}
    assert len(packets(workbench.output / "360p.ts")) == 50
    kinds = [stream["codec_type"] for stream in probe(workbench.output / "180p.mp4", "stream=codec_type")["streams"]]
    assert kinds == ["video"]


def test_encode_one_channel_stays_one(workbench):
    make_video(workbench.folder / "talk.mp4", "-ac", "1", "-ar", "8000", duration_s=3)
    workbench.encode("talk.mp4")
    (stream,) = probe(workbench.output / "180p.mp4", "stream=channels,sample_rate,codec_type")["streams"][1:]
    assert (stream["channels"], stream["sample_rate"]) == (1, "48000")


def test_encode_video_that_begins_after_its_sound_has_its_whole_length(workbench):
    """The picture begins at 0.023 s, as AAC begins with samples that are not heard, and ends at 1.023 s."""
    make_video(workbench.folder / "talk.mkv", duration_s=1, size="160x88")
    assert workbench.encode("talk.mkv")["duration"] == 1
