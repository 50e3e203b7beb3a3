"""Sound that is not what its header promises: the picture is published all the same, and the log tells."""

import subprocess
from fractions import Fraction

import numpy as np
import pytest

from podjobs.contract.errors import PermanentError
from support.fidelity.marks import bar_code, chirps, read_frames, read_sound, sound_offsets_s
from support.media import ffmpeg, make_video, packets, probe

KEYS = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
RATE = Fraction(25)


def log_of(info):
    return info["encoding_log"]["encoding"]["msg"]


def streams_of(path):
    return [stream["codec_type"] for stream in probe(path, "stream=codec_type")["streams"]]


def loudness_db(path, start_s, length_s=0.5):
    argv = ["ffmpeg", "-v", "error", "-ss", str(start_s), "-t", str(length_s), "-i", str(path), "-f", "f32le", "pipe:1"]
    samples = np.frombuffer(subprocess.run(argv, check=True, capture_output=True).stdout, np.float32)
    return 20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9)


def without_packets(source, target):
    ffmpeg("-i", source, "-c", "copy", "-bsf:a", "noise=drop=1", target)


def all_damaged(source, target):
    ffmpeg("-i", source, "-c", "copy", "-bsf:a", "noise=amount=1", target)


def empty_tables(source, target):
    """The sound's sample tables of an MP4 have no entries."""
    ffmpeg("-i", source, "-c", "copy", target)
    data = bytearray(target.read_bytes())
    sound = data.rindex(b"smhd")
    for table, offset in ((b"stts", 8), (b"stsc", 8), (b"stco", 8), (b"stsz", 12)):
        at = data.index(table, sound)
        data[at + offset : at + offset + 4] = bytes(4)
    target.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("a.mkv", without_packets, "is declared, but the file contains none: it is left out"),
        ("a.mp4", empty_tables, "is declared, but the file contains none: it is left out"),
        ("a.mp4", all_damaged, "cannot be decoded: it is left out"),
        pytest.param("a.mkv", all_damaged, "cannot be decoded: it is left out", marks=pytest.mark.slow),
        ("a.ts", all_damaged, "cannot be decoded: it is left out"),
    ],
)
def test_encode_sound_that_is_not_there_leaves_the_picture_and_is_told(workbench, tmp_path, name, spoil, said):
    spoil(make_video(tmp_path / "whole.mp4", duration_s=4, size="320x180"), workbench.folder / name)
    info = workbench.encode(name)
    assert said in log_of(info)
    assert len(packets(workbench.output / "180p.mp4")) == 100
    assert (info["list_audio_track"], info["list_mp3_files"]) == ({}, {})
    assert streams_of(workbench.output / "180p.mp4") == ["video"]
    assert "mp4a" not in (workbench.output / "livestream.m3u8").read_text()


@pytest.mark.parametrize(
    "name",
    ["a.mkv", "a.ts", pytest.param("a.mp4", marks=pytest.mark.slow), pytest.param("a.mov", marks=pytest.mark.slow)],
)
def test_encode_cut_behind_the_end_of_the_sound_is_silent(workbench, tmp_path, name):
    picture = make_video(tmp_path / "picture.mp4", duration_s=6, size="320x180", sound=False)
    ffmpeg(
        "-i", picture, "-f", "lavfi", "-t", 2, "-i", "sine=f=440:r=44100", "-map", 0, "-map", 1, "-c:v", "copy",
        workbench.folder / name,
    )  # fmt: skip
    info = workbench.encode(name, cut_start=3, cut_end=5)
    assert info["duration"] == 2
    target = workbench.output / "180p.mp4"
    assert len(packets(target)) == 50
    assert float(probe(target, "stream=duration")["streams"][1]["duration"]) == pytest.approx(2, abs=0.03)
    assert loudness_db(target, 0.5) < -90


def test_encode_credits_without_sound_are_silent_and_the_video_is_heard(workbench, tmp_path):
    make_video(workbench.folder / "talk.mp4", duration_s=3, size="320x180")
    (workbench.root / "files").mkdir()
    without_packets(
        make_video(tmp_path / "credit.mp4", duration_s=2, size="320x180"), workbench.root / "files" / "opening.mkv"
    )
    dressing = {"opening_credits": "opening", "opening_credits_video": "files/opening.mkv"}
    workbench.encode("talk.mp4", json_dressing=dressing)
    target = workbench.output / "180p.mp4"
    assert loudness_db(target, 0.5) < -90
    assert loudness_db(target, 3) > -30


@pytest.mark.slow
def test_encode_video_without_sound_between_credits_that_have_some_is_silent(workbench, tmp_path):
    all_damaged(make_video(tmp_path / "whole.mp4", duration_s=3, size="320x180"), workbench.folder / "talk.mkv")
    (workbench.root / "files").mkdir()
    make_video(workbench.root / "files" / "opening.mp4", duration_s=2, size="320x180")
    dressing = {"opening_credits": "opening", "opening_credits_video": "files/opening.mp4"}
    info = workbench.encode("talk.mkv", json_dressing=dressing)
    target = workbench.output / "180p.mp4"
    assert "The sound of the video cannot be decoded" in log_of(info)
    assert loudness_db(target, 0.5) > -30
    assert loudness_db(target, 3) < -90


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [("a.m4a", empty_tables, "contains none"), ("a.mka", all_damaged, "its sound cannot be decoded")],
)
def test_encode_recording_without_its_sound_is_refused_by_name(workbench, tmp_path, name, spoil, said):
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 3, "-c:a", "aac", tmp_path / "whole.m4a")
    spoil(tmp_path / "whole.m4a", workbench.folder / name)
    with pytest.raises(PermanentError, match=f"{name}' should have sound, but .*{said}"):
        workbench.encode(name)


@pytest.mark.parametrize("scheme", ["cenc-aes-ctr"])
@pytest.mark.parametrize("only_sound", [False, True])
def test_encode_encrypted_file_is_refused_as_encrypted(workbench, tmp_path, scheme, only_sound):
    source = make_video(tmp_path / "whole.mp4", duration_s=2, size="320x180")
    kept = ("-vn",) if only_sound else ()
    ffmpeg("-i", source, *kept, "-c", "copy", "-encryption_scheme", scheme, *KEYS, workbench.folder / "a.mp4")
    with pytest.raises(PermanentError, match=r"a\.mp4' is encrypted \(DRM\).* Upload a copy without protection\."):
        workbench.encode("a.mp4")


def test_encode_file_from_a_shop_is_refused_as_encrypted(workbench, tmp_path):
    """FairPlay renames the sound's sample entry."""
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 3, "-c:a", "aac", tmp_path / "whole.m4a")
    data = (tmp_path / "whole.m4a").read_bytes()
    at = data.index(b"mp4a", data.index(b"stsd"))
    (workbench.folder / "a.m4a").write_bytes(data[:at] + b"drms" + data[at + 4 :])
    with pytest.raises(PermanentError, match="is encrypted"):
        workbench.encode("a.m4a")


@pytest.mark.parametrize(
    ("suffix", "coding"),
    [
        ("ogg", ("-c:a", "libopus")),
        pytest.param("ogg", ("-c:a", "libvorbis"), marks=pytest.mark.slow),
        ("ts", ("-c:a", "aac")),
        pytest.param("aac", (), marks=pytest.mark.slow),
        ("mp3", ()),
    ],
)
def test_encode_recordings_joined_one_after_the_other_are_heard_to_the_end(workbench, tmp_path, suffix, coding):
    """Each has its own clock, the second also another format: 440 Hz, then 880 Hz."""
    parts = []
    for number, (pitch_hz, rate_hz, channels) in enumerate([(440, 44_100, 1), (880, 48_000, 2)]):
        part = tmp_path / f"{number}.{suffix}"
        ffmpeg("-f", "lavfi", "-i", f"sine=f={pitch_hz}:r={rate_hz}", "-t", 3, "-ac", channels, *coding, part)
        parts.append(part.read_bytes())
    (workbench.folder / f"a.{suffix}").write_bytes(b"".join(parts))
    workbench.encode(f"a.{suffix}")
    sound = read_sound(workbench.output / "audio_192k.m4a")
    assert len(sound) / 48_000 == pytest.approx(6.1, abs=0.25)
    for start_s, pitch_hz in ((1, 440), (2, 440), (4, 880), (5, 880)):
        piece = sound[start_s * 48_000 : start_s * 48_000 + 24_000]
        assert np.argmax(np.abs(np.fft.rfft(piece))) * 2 == pytest.approx(pitch_hz, abs=4)


def test_encode_joined_clips_whose_sound_is_shorter_keep_picture_and_sound_together(workbench, tmp_path):
    """The sound of the first of two clips ends 78 ms before its picture."""
    parts = []
    for number, sound_s in enumerate((3.922, 4.0)):
        part = tmp_path / f"{number}.ts"
        pictures = f"color=gray:s=320x180:r={RATE},{bar_code()}"
        ffmpeg(
            "-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", chirps(RATE, sound_s), "-t", 4,
            "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "160k", part,
        )  # fmt: skip
        parts.append(part.read_bytes())
    (workbench.folder / "a.ts").write_bytes(b"".join(parts))
    workbench.encode("a.ts")
    target = workbench.output / "180p.mp4"
    frames = read_frames(target)
    numbers = [frame.number for frame in frames]
    assert numbers[:99] == [*range(99)]  # the sound of the second clip may begin within the last frame of the first
    assert numbers[-100:] == [*range(100)]
    offsets_s = sound_offsets_s(frames, read_sound(target))
    assert len([place for place in offsets_s if place >= 100]) >= 3
    assert max(map(abs, offsets_s.values())) <= 1 / RATE


@pytest.mark.parametrize("channels", [10, pytest.param(16, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["a.wav", "a.mkv", "a.avi"])
def test_encode_sound_of_many_channels_is_their_mean(workbench, tmp_path, name, channels):
    """A tone in the third channel, nothing in the others."""
    wave = tmp_path / "many.wav"
    expressions = "|".join("0.5*sin(2*PI*440*t)" if channel == 2 else "0" for channel in range(channels))
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc={expressions}:s=48000:d=3", "-c:a", "pcm_s16le", wave)
    picture = (
        () if name == "a.wav" else ("-i", make_video(tmp_path / "p.mp4", duration_s=3, size="320x180", sound=False))
    )
    ffmpeg("-i", wave, *picture, "-c", "copy", workbench.folder / name)
    info = workbench.encode(name)
    assert f"The sound has {channels} channels: their mean is heard on both sides." in log_of(info)
    expected_db = 20 * np.log10(0.5 / np.sqrt(2) / channels)
    assert loudness_db(workbench.output / "audio_192k.mp3", 1) == pytest.approx(expected_db, abs=2)  # encoders differ


@pytest.mark.parametrize("sign", [-1, pytest.param(1, marks=pytest.mark.slow)])
def test_encode_channels_that_cancel_each_other_are_published_as_they_are_and_told(workbench, sign):
    tones = f"aevalsrc='0.3*sin(880*t)|{sign}*0.3*sin(880*t)'"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", tones, "-t", 4, "-c:a", "flac",
        workbench.folder / "stereo.mkv",
    )  # fmt: skip
    info = workbench.encode("stereo.mkv")
    assert ("cancel each other out" in log_of(info)) == (sign < 0)
    assert loudness_db(workbench.output / "audio_192k.mp3", 1) > -20
