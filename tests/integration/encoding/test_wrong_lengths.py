"""Lengths that are claimed: by headers, by stale tags, by streams that are not used. What is there counts."""

import subprocess

import pytest

from podjobs.contract.errors import PermanentError
from support.fidelity.checks import check_file, check_segments, shown_of
from support.fidelity.marks import bar_code, chirps
from support.lying_headers import cut_off, state_length
from support.media import ffmpeg, packets

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p")
CODINGS = {
    ".mkv": (*H264, "-c:a", "aac"),
    ".mp4": (*H264, "-c:a", "aac"),
    ".mov": (*H264, "-c:a", "pcm_s16le"),
    ".flv": (*H264, "-c:a", "aac"),
    ".avi": ("-c:v", "mpeg4", "-q:v", "3", "-g", "50", "-c:a", "mp3"),
    ".ts": (*H264, "-c:a", "aac"),
    ".webm": ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "1M", "-g", "50", "-c:a", "libopus"),
}


def marked(path, *more, length_s=12, inputs=()):
    """Every frame carries its number, every 24th one a chirp; further inputs are mapped by `more`."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25,{bar_code()}", "-f", "lavfi", "-i", chirps(25, length_s),
        *inputs, "-t", length_s, *CODINGS[path.suffix], *more, path,
    )  # fmt: skip
    return path


def overview_s(workbench):
    """Until when the overview has pictures."""
    last = (workbench.output / "overview.vtt").read_text().strip().splitlines()[-2]
    hours, minutes, seconds = last.rsplit(" ", maxsplit=1)[-1].split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def check(workbench, info, expected, length_s=12):
    """Every place that states a length agrees with what is there."""
    assert info["duration"] == int(length_s)
    for name in ("180p.mp4", "180p.ts"):
        assert check_file(workbench.output / name, expected) == []
    assert check_segments(workbench.output / "180p.m3u8") == []
    assert len(info["list_thumbnail_files"]) == 3
    assert len(info["list_overview_files"]) == (2 if length_s >= 10 else 0)
    if length_s >= 10:
        assert overview_s(workbench) == pytest.approx(length_s, abs=0.06)
    assert not any("once more" in sentence for sentence in workbench.run.log)


@pytest.mark.parametrize(
    ("suffix", "claimed_s"),
    [
        (".mkv", 40_000),
        pytest.param(".mp4", 5, marks=pytest.mark.slow),
        pytest.param(".webm", 5, marks=pytest.mark.slow),
        pytest.param(".mov", 40_000, marks=pytest.mark.slow),
        pytest.param(".flv", 5, marks=pytest.mark.slow),
        pytest.param(".flv", 40_000, marks=pytest.mark.slow),
        pytest.param(".avi", 40_000, marks=pytest.mark.slow),
    ],
)
def test_encode_header_that_states_another_length_is_corrected(workbench, suffix, claimed_s):
    source = marked(workbench.folder / f"talk{suffix}")
    expected = shown_of(source)
    state_length(source, claimed_s)
    info = workbench.encode(source.name)
    check(workbench, info, expected)
    message = info["encoding_log"]["encoding"]["msg"]
    if suffix in {".mkv", ".webm", ".mp4", ".mov"}:  # the others are repackaged, which finds the length
        assert ("all of it is used" if claimed_s == 5 else "only 12.0 s could be read") in message


def test_encode_header_that_claims_centuries_costs_nothing(workbench):
    source = marked(workbench.folder / "talk.mkv", length_s=3)
    state_length(source, 2e10)
    assert workbench.encode("talk.mkv")["duration"] == 3
    assert len(workbench.recipe.chunks) == 2


def test_encode_cut_beyond_the_stated_length_is_made(workbench):
    source = marked(workbench.folder / "talk.mkv")
    expected = shown_of(source, cut_s=(7, 10))
    state_length(source, 5)
    assert workbench.encode("talk.mkv", cut_start=7, cut_end=10)["duration"] == 3
    assert check_file(workbench.output / "180p.mp4", expected) == []


def test_encode_cut_beyond_the_true_length_is_refused(workbench):
    state_length(marked(workbench.folder / "talk.mkv"), 5000)
    with pytest.raises(PermanentError, match=r"the video is 12\.0 s long"):
        workbench.encode("talk.mkv", cut_start=30, cut_end=40)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "mov_text"),
        pytest.param(".mkv", "ass", marks=pytest.mark.slow),
        pytest.param(".webm", "webvtt", marks=pytest.mark.slow),
    ],
)
def test_encode_subtitles_that_go_on_do_not_lengthen_the_video(workbench, suffix, codec):
    text = workbench.root / "a.srt"
    text.write_text("1\n00:00:01,000 --> 00:00:02,000\nBonjour\n\n2\n00:29:58,000 --> 00:30:00,000\nFin\n")
    plain = marked(workbench.root / f"plain{suffix}")
    source = workbench.folder / f"talk{suffix}"
    ffmpeg("-i", plain, "-i", text, "-map", 0, "-map", 1, "-c", "copy", "-c:s", codec, source)
    expected = shown_of(source)
    info = workbench.encode(source.name)
    check(workbench, info, expected)
    assert len(info["list_subtitle_files"]) == 1
    assert "only other streams go on" in info["encoding_log"]["encoding"]["msg"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix",
    [
        ".mp4",
        pytest.param(".ts", marks=pytest.mark.slow),
        pytest.param(".mkv", marks=pytest.mark.slow),
        pytest.param(".avi", marks=pytest.mark.slow),
    ],
)
def test_encode_second_sound_that_goes_on_does_not_lengthen_the_video(workbench, suffix):
    plain = marked(workbench.root / f"plain{suffix}")
    source = workbench.folder / f"talk{suffix}"
    ffmpeg(
        "-i", plain, "-f", "lavfi", "-i", "sine=d=200", "-map", 0, "-map", 1, "-c", "copy",
        "-c:a:1", "mp2" if suffix in {".ts", ".avi"} else "aac", "-disposition:a:1", 0, source,
    )  # fmt: skip
    expected = shown_of(plain)
    check(workbench, workbench.encode(source.name), expected)


@pytest.mark.slow
def test_encode_time_code_and_second_picture_do_not_lengthen_the_video(workbench):
    plain = marked(workbench.root / "plain.mov")
    source = workbench.folder / "talk.mov"
    ffmpeg(
        "-i", plain, "-f", "lavfi", "-i", "testsrc2=s=64x64:r=5:d=60", "-map", 0, "-map", 1, "-c", "copy",
        "-c:v:1", "mjpeg", "-timecode", "01:00:00:00", source,
    )  # fmt: skip
    check(workbench, workbench.encode(source.name), shown_of(plain))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["short first", pytest.param("long first", marks=pytest.mark.slow)])
def test_encode_stale_tags_of_appended_recordings_thin_no_frames(workbench, order):
    """Matroska's DURATION tags state when the first recording ended."""
    parts = [marked(workbench.root / f"{name}.mkv", length_s=length_s) for name, length_s in (("a", 3), ("b", 9))]
    if order == "long first":
        parts.reverse()
    whole, source = workbench.root / "whole.mkv", workbench.folder / "talk.mkv"
    listed = workbench.root / "list.txt"
    listed.write_text("".join(f"file '{part}'\n" for part in parts))
    ffmpeg("-f", "concat", "-safe", 0, "-i", listed, "-c", "copy", whole)
    # ffmpeg's own tags are right: put the first recording's in their place
    tag, data = b"00:00:03.0" if order == "short first" else b"00:00:09.0", bytearray(whole.read_bytes())
    for place in [place for place in range(len(data)) if data[place : place + 8] == b"00:00:12"]:
        data[place : place + 10] = tag
    source.write_bytes(data)
    workbench.encode("talk.mkv")
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert len(times) == 300
    assert times[-1] - times[0] == pytest.approx(11.96, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix", [".mp4", pytest.param(".mkv", marks=pytest.mark.slow), pytest.param(".webm", marks=pytest.mark.slow)]
)
def test_encode_recording_that_is_cut_off_is_described_as_long_as_it_is(workbench, suffix):
    more = ("-movflags", "+faststart") if suffix == ".mp4" else ()
    source = cut_off(marked(workbench.folder / f"talk{suffix}", *more, length_s=24), 0.6)
    frames = len(shown_of(source).numbers)
    info = workbench.encode(source.name)
    made = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    length_s = made[-1] - made[0] + 0.04
    assert 10 < length_s < 20
    assert abs(len(made) - frames) <= 1
    assert info["duration"] == pytest.approx(length_s, abs=1)
    assert "cut off or damaged" in info["encoding_log"]["encoding"]["msg"]
    assert overview_s(workbench) == pytest.approx(length_s, abs=0.1)


@pytest.mark.parametrize(
    ("name", "coding", "share"),
    [
        ("talk.wav", (), 1.0),
        ("talk.wav", (), 0.5),
        ("talk.mkv", ("-c:a", "libopus"), 1.0),
        ("talk.m4a", ("-c:a", "aac"), 0.5),
        ("talk.flac", (), 0.5),
    ],
)
def test_encode_sound_has_the_length_that_was_decoded(workbench, name, coding, share):
    source = workbench.folder / name
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=12:r=48000:a=0.1", *coding, "-movflags", "+faststart", source)
    if source.suffix in {".wav", ".mkv"} and share == 1:
        state_length(source, 700)
    cut_off(source, share)
    assert workbench.encode(name)["duration"] == pytest.approx(12 * share, abs=1)


def test_encode_source_without_a_packet_of_picture_is_a_recording_of_sound(workbench):
    """The stream is declared, but nothing of it was written."""
    plain = marked(workbench.root / "plain.mkv", length_s=4)
    source = workbench.folder / "talk.mkv"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", plain, "-c", "copy", "-bsf:v", "noise=drop=1", source], check=True
    )
    info = workbench.encode("talk.mkv")
    assert info["duration"] == 4
    assert info["list_m4a_files"]
    assert "has no picture, although its header says so" in info["encoding_log"]["encoding"]["msg"]
