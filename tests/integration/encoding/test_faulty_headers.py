"""Headers that lie, are missing, or change their mind along the way."""

import subprocess
from itertools import pairwise

import pytest

from podjobs.contract.errors import PermanentError
from support.media import ffmpeg, make_video, packets

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def silences(path):
    argv = ["ffmpeg", "-hide_banner", "-i", str(path), "-vn", "-af", "silencedetect=n=-50dB:d=0.5", "-f", "null", "-"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stderr.count("silence_start")


@pytest.mark.slow
def test_encode_browser_recording_whose_clock_ticks_in_milliseconds_is_not_a_fast_camera(workbench):
    """Jittered times and no nominal rate: ffprobe takes the clock's 1,000 ticks a second for the rate."""
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=5", "-vf", "settb=1/1000,setpts='PTS+floor(random(1)*25)'",
        "-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-r", "1000", "-c:v", "libvpx",
        "-deadline", "realtime", "-live", "1", workbench.folder / "talk.webm",
    )  # fmt: skip
    info = workbench.encode("talk.webm")
    assert info["duration"] in {4, 5}
    assert len(packets(workbench.output / "180p.ts")) == 125


@pytest.mark.slow
def test_encode_broadcast_whose_sound_changes_its_form_is_heard_throughout(workbench):
    """Stereo, 5.1, stereo, as between two programmes."""
    data = b""
    for begin_s, channels in ((0, 2), (4, 6), (8, 2)):
        part = workbench.root / "part.ts"
        ffmpeg(
            "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine=f=440:r=48000", "-t", 4, *X264,
            "-g", 25, "-c:a", "aac", "-ac", channels, "-output_ts_offset", begin_s, "-muxdelay", 0, part,
        )  # fmt: skip
        data += part.read_bytes()
    (workbench.folder / "talk.ts").write_bytes(data)
    workbench.encode("talk.ts")
    assert silences(workbench.output / "180p.mp4") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        pytest.param("a.aac", (), marks=pytest.mark.slow),
        ("a.mp3", ("-c:a", "libmp3lame", "-q:a", 2, "-write_xing", 0, "-id3v2_version", 0)),
    ],
)
def test_encode_sound_whose_length_is_guessed_has_its_true_one(workbench, name, coding):
    """Silence at the beginning makes ffprobe think that the file is an hour long."""
    silent, loud = "anullsrc=r=44100:cl=stereo:d=30", "anoisesrc=d=30:r=44100"
    ffmpeg(
        "-f", "lavfi", "-i", silent, "-f", "lavfi", "-i", loud, "-filter_complex", "[0][1]concat=v=0:a=1", *coding,
        workbench.folder / name,
    )  # fmt: skip
    assert workbench.encode(name)["duration"] in {60, 61}
    assert workbench.encode(name, cut_start=40, cut_end=50)["duration"] == 10
    with pytest.raises(PermanentError, match=r"but the video is 60\.\d s long"):
        workbench.encode(name, cut_start=70, cut_end=80)


def test_encode_mp4_that_was_cut_without_encoding_is_encoded_once(workbench):
    """Its edit list hides the frames before the cut; the header counts them."""
    whole = make_video(workbench.root / "whole.mov", duration_s=8, size="320x180")
    ffmpeg("-ss", 2.5, "-i", whole, "-c", "copy", workbench.folder / "talk.mp4")
    workbench.encode("talk.mp4")
    assert len(packets(workbench.output / "180p.ts")) in {137, 138}
    assert not any("once more" in sentence for sentence in workbench.run.log)


@pytest.mark.slow
def test_encode_cover_that_cannot_be_read_is_left_out(workbench):
    cover = workbench.root / "cover.jpg"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=200x200", "-frames:v", 1, cover)
    path = workbench.folder / "talk.mp3"
    ffmpeg(
        "-f", "lavfi", "-i", "sine=d=3", "-i", cover, "-map", 0, "-map", 1, "-c:v", "copy",
        "-disposition:v", "attached_pic", path,
    )  # fmt: skip
    data, picture = path.read_bytes(), cover.read_bytes()
    place = data.index(picture)
    path.write_bytes(data[:place] + bytes(len(picture)) + data[place + len(picture) :])
    info = workbench.encode("talk.mp3")
    assert info["list_thumbnail_files"] == {}
    assert info["list_mp3_files"]
    assert any("cannot be read: it is left out" in sentence for sentence in workbench.run.log)


def test_encode_live_recording_keeps_its_subtitles(workbench):
    """Without a length it is repackaged first."""
    (workbench.root / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nBonjour\n")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4", "-i", workbench.root / "a.srt", "-map", 0, "-map", 1,
        *X264, "-c:s", "subrip", "-metadata:s:s:0", "language=fre", "-live", 1, workbench.folder / "talk.mkv",
    )  # fmt: skip
    info = workbench.encode("talk.mkv")
    assert [language for language, _ in info["list_subtitle_files"].values()] == ["fre"]
    assert "00:00:01.000 --> 00:00:02.000\nBonjour" in (workbench.output / "subtitle_fre.vtt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("a.flv", ("-c:v", "flv1", "-c:a", "nellymoser", "-ar", "44100", "-ac", "1")),
        ("a.m2ts", (*X264, "-c:a", "pcm_bluray", "-ar", "48000")),
        ("a.avi", ("-c:v", "rawvideo", "-pix_fmt", "bgr24", "-c:a", "pcm_s16le")),
    ],
)
def test_encode_codec_that_lives_in_its_own_container_only(workbench, name, coding):
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine=f=440:r=48000", "-t", 4, *coding,
        workbench.folder / name,
    )  # fmt: skip
    workbench.encode(name)
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert len(times) == 100
    assert max(after - before for before, after in pairwise(times)) < 0.045
    assert silences(workbench.output / "180p.mp4") == 0


def test_encode_absurd_pixel_aspect_is_taken_for_square(workbench):
    make_video(workbench.folder / "talk.mp4", "-aspect", "200", duration_s=2, size="320x180", sound=False)
    workbench.encode("talk.mp4")
    assert len(packets(workbench.output / "180p.ts")) == 50
