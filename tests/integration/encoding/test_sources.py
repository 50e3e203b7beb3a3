"""Whatever people upload: the expected output of each kind of source."""

import json
import subprocess
from itertools import pairwise

import pytest

from podjobs.encoding.settings import EncodingSettings
from support.media import count_frames, ffmpeg, make_video, packets, probe

SLOW = pytest.mark.slow

COLOUR = (48, 144, 208)
"""Red, green, blue; no corner of the cube, so that a wrong matrix or range shows."""


def colour_of(path):
    """Red, green, blue in the middle of the second frame, as a player that goes by the tags shows it."""
    matrix = {"bt709": "bt709", "smpte170m": "bt601"}[tags_of(path)[0]]
    picked = f"select=eq(n\\,1),scale=in_color_matrix={matrix}:flags=accurate_rnd,format=gbrp,crop=1:1,format=rgb24"
    argv = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", picked, "-frames:v", "1", "-f", "rawvideo", "-"]
    return tuple(subprocess.run(argv, check=True, capture_output=True).stdout)


def tags_of(path):
    (stream,) = probe(path, "stream=color_space,color_transfer,color_primaries,color_range,pix_fmt")["streams"][:1]
    return tuple(stream.get(name) for name in ("color_space", "color_range", "pix_fmt"))


def solid(path, *coding, size="640x360", convert="null"):
    """Three seconds of one colour."""
    picture = f"color=0x{bytes(COLOUR).hex()}:s={size}:r=25,format=gbrp"
    ffmpeg("-f", "lavfi", "-i", picture, "-t", 3, "-vf", convert, *coding, path)
    return path


X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "8")


@pytest.mark.parametrize(
    ("size", "convert", "coding", "matrix"),
    [
        ("640x360", "scale=out_color_matrix=bt601,format=yuv420p", X264, "smpte170m"),  # says nothing: taken for SD
        ("1280x720", "scale=out_color_matrix=bt709,format=yuv420p", X264, "bt709"),  # says nothing: taken for HD
        (
            "1280x720",
            "scale=out_color_matrix=bt601,format=yuv420p",
            (*X264, "-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m"),
            "smpte170m",
        ),
        (
            "640x360",
            "scale=out_color_matrix=bt709:out_range=pc,format=yuvj420p",
            (*X264, "-colorspace", "bt709", "-color_range", "pc"),
            "bt709",
        ),
        (
            "640x360",
            "scale=out_color_matrix=bt2020,format=yuv420p10le",
            (*X264, "-colorspace", "bt2020nc"),
            "bt709",
        ),
        ("640x360", "format=gbrp", ("-c:v", "libx264rgb", "-preset", "ultrafast", "-qp", "8"), "bt709"),
        pytest.param("640x360", "scale=out_color_matrix=bt601,format=yuv444p", X264, "smpte170m", marks=SLOW),
        (
            "1280x720",
            "scale=out_color_matrix=bt709,format=yuv422p10le",
            ("-c:v", "prores_ks", "-profile:v", "3", "-colorspace", "bt709"),
            "bt709",
        ),
    ],
    ids=["sd", "hd", "hd-601", "full", "bt2020-10bit", "rgb", "444", "prores-422-10bit"],
)
def test_encode_colours_are_the_sources_in_every_rendition(workbench, size, convert, coding, matrix):
    solid(workbench.folder / "talk.mov", *coding, size=size, convert=convert)
    workbench.encode("talk.mov")
    for name in ("180p.mp4", "360p.ts"):
        made = workbench.output / name
        assert tags_of(made) == (matrix, "tv", "yuv420p")
        assert colour_of(made) == pytest.approx(COLOUR, abs=4)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_encode_hdr_becomes_sdr(workbench, transfer):
    """Everything but highlights keeps its colour."""
    to_hdr = (
        "format=yuv444p,setparams=colorspace=smpte170m:color_trc=bt709:color_primaries=bt709:range=tv,"
        "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=2020,"
        f"zscale=t={transfer}:m=2020_ncl:r=tv:npl=203,format=yuv420p10le"
    )
    tags = ["-colorspace", "bt2020nc", "-color_trc", transfer, "-color_primaries", "bt2020"]
    solid(workbench.folder / "talk.mkv", *X264, *tags, convert=to_hdr)
    workbench.encode("talk.mkv")
    made = workbench.output / "360p.ts"
    assert tags_of(made) == ("bt709", "tv", "yuv420p")
    assert colour_of(made) == pytest.approx(COLOUR, abs=16)


def test_encode_interlaced_source_is_deinterlaced(workbench):
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=720x576:r=50", "-t", 5, "-vf", "tinterlace=mode=interleave_top,setfield=tff",
        "-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ilme+ildct", "-x264opts", "tff=1", "-pix_fmt", "yuv420p",
        workbench.folder / "tape.mp4",
    )  # fmt: skip
    workbench.encode("tape.mp4")
    assert len(packets(workbench.output / "360p.ts")) == 125
    assert combed_frames(workbench.folder / "tape.mp4") > 100
    assert combed_frames(workbench.output / "360p.ts") <= 6


def combed_frames(path):
    argv = ["ffmpeg", "-hide_banner", "-i", str(path), "-vf", "idet", "-f", "null", "-"]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stderr
    multi = next(line for line in said.splitlines() if "Multi frame detection" in line)
    top, bottom, *_ = (int(word) for word in multi.split() if word.isdigit())
    return top + bottom


@pytest.mark.parametrize(
    ("rate", "name", "frames"),
    [
        ("50", "a.mp4", 300),
        pytest.param("60", "a.mkv", 360, marks=SLOW),
        pytest.param("120", "a.mp4", 360, marks=SLOW),
        ("120", "a.mkv", 360),
        ("144", "a.webm", 216),
    ],
)
def test_encode_more_than_sixty_frames_a_second_are_halved_evenly(workbench, rate, name, frames):
    """The same frames are kept whatever chunk they lie in: their distances are equal, joins included."""
    coding = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"] if name.endswith("webm") else []
    make_video(workbench.folder / name, *coding, rate=rate, duration_s=6, size="320x180", sound=False)
    workbench.encode(name)
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert len(times) == frames
    steps = [after - before for before, after in pairwise(times)]
    assert max(steps) - min(steps) < 0.002 + 2 / float(
        rate
    )  # containers that count milliseconds: at 144 Hz a neighbour may be nearer


def test_encode_sound_in_many_channels_becomes_stereo(workbench):
    make_video(workbench.folder / "talk.mkv", "-c:a", "aac", "-ac", "6", duration_s=3)
    workbench.encode("talk.mkv")
    (stream,) = probe(workbench.output / "180p.mp4", "stream=channels,sample_rate,codec_type")["streams"][1:]
    assert (stream["channels"], stream["sample_rate"]) == (2, "48000")


def test_encode_takes_the_default_sound_else_the_first(workbench):
    """Two tracks, the second one is the default: its tone is in the result."""
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine=f=300:r=48000",
        "-f", "lavfi", "-i", "sine=f=3000:r=48000", "-t", 4, "-map", "0", "-map", "1", "-map", "2",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-disposition:a:0", "0",
        "-disposition:a:1", "default", workbench.folder / "talk.mkv",
    )  # fmt: skip
    workbench.encode("talk.mkv")
    low, high = (loudness(workbench.output / "180p.mp4", f) for f in (300, 3000))
    assert high > low + 20


def loudness(path, frequency_hz):
    """Mean volume of a narrow band, dB."""
    said = subprocess.run(
        [
            "ffmpeg", "-hide_banner", "-i", str(path), "-vn", "-f", "null",
            "-af", f"bandpass=f={frequency_hz}:width_type=h:w=100,volumedetect", "-",
        ],
        check=True, capture_output=True, text=True,
    ).stderr  # fmt: skip
    return float(next(line for line in said.splitlines() if "mean_volume" in line).split()[-2])


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        pytest.param("1366x768", None, (640, 360), marks=SLOW),
        ("853x480", None, (640, 360)),
        pytest.param("1080x1080", None, (360, 360), marks=SLOW),
        pytest.param("4096x1716", None, (860, 360), marks=SLOW),
        ("200x100", None, (200, 100)),
        ("720x576", "16/9", (640, 360)),  # 64:45 pixels
        ("360x640", None, (360, 640)),
    ],
)
def test_encode_nothing_is_squeezed_or_scaled_up(workbench, size, aspect, shown):
    extra = ["-aspect", aspect.replace("/", ":")] if aspect else []
    make_video(workbench.folder / "talk.mp4", *extra, size=size, duration_s=2, sound=False)
    info = workbench.encode("talk.mp4")
    highest = list(info["list_hls_files"])[-1]
    (stream,) = probe(workbench.output / f"{highest}p.ts", "stream=width,height,sample_aspect_ratio")["streams"][:1]
    assert (stream["width"], stream["height"]) == shown
    assert stream.get("sample_aspect_ratio", "1:1") == "1:1"
    assert json.loads((workbench.output / "info_video.json").read_text())["list_mp4_files"]


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("a.ts", ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac")),
        ("a.mpg", ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2")),
        ("a.avi", ("-c:v", "mpeg4", "-q:v", "3", "-bf", "2", "-c:a", "libmp3lame")),
        pytest.param("a.wmv", ("-c:v", "wmv2", "-q:v", "3", "-c:a", "wmav2"), marks=SLOW),
        pytest.param("a.flv", ("-c:v", "flv1", "-q:v", "3", "-c:a", "libmp3lame"), marks=SLOW),
        ("a.mxf", ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "pcm_s16le", "-ar", "48000")),
        pytest.param("a.mov", ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"), marks=SLOW),
        ("a.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")),
        ("a.mkv", ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-c:a", "flac")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_encode_containers_and_codecs_keep_every_frame_in_its_place(workbench, name, coding):
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine=f=440:r=44100", "-t", 7, *coding,
        workbench.folder / name,
    )  # fmt: skip
    info = workbench.encode(name)
    frames = count_frames(workbench.folder / name)
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert len(times) == frames >= 174
    assert max(after - before for before, after in pairwise(times)) < 0.045
    assert info["duration"] in {6, 7}  # 6.99 s of some containers
    assert list(info["list_mp3_files"]) == ["192k"]


@pytest.mark.parametrize("name", ["cut.mkv", "cut.mp4", "cut.ts"])
def test_encode_cut_off_file_gives_what_can_be_read_and_says_what_is_missing(workbench, name):
    whole = make_video(workbench.root / f"whole{name[3:]}", "-movflags", "+faststart", duration_s=12, size="320x180")
    data = whole.read_bytes()
    (workbench.folder / name).write_bytes(data[: len(data) * 6 // 10])
    info = workbench.encode(name)
    assert 5 <= info["duration"] <= 9
    frames = len(packets(workbench.output / "180p.ts"))
    assert 5 * 25 <= frames <= 9 * 25
    if name != "cut.ts":  # which has no header that could say
        assert "could be read: it is cut off" in info["encoding_log"]["encoding"]["msg"]
        assert not any("once more" in sentence for sentence in workbench.run.log)


def test_encode_turned_recording_with_oblong_pixels_is_shown_as_it_was_meant(workbench):
    """A 16:9 PAL camcorder held upright: 720 × 576 pixels that are wider than high, turned by the header."""
    plain = make_video(workbench.root / "plain.mp4", "-aspect", "16:9", size="720x576", duration_s=2, sound=False)
    ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=90", workbench.folder / "talk.mp4")
    workbench.encode("talk.mp4")
    (stream,) = probe(workbench.output / "360p.ts", "stream=width,height,sample_aspect_ratio")["streams"][:1]
    assert (stream["width"], stream["height"]) == (360, 640)


@pytest.mark.slow
def test_encode_4k_source_with_a_2160_rendition(workbench):
    """One more setting; the level is what 2160p at 25 frames a second needs."""
    largest = {"resolution": "3840x2160", "maxrate": "16000k", "audio_bitrate": "192k", "encode_mp4": True}
    ladder = [*(one.model_dump() for one in workbench.settings.video_renditions), largest]
    workbench.settings = EncodingSettings.model_validate(workbench.settings.model_dump() | {"video_renditions": ladder})
    workbench.__post_init__()
    make_video(workbench.folder / "talk.mp4", size="3840x2160", duration_s=1)
    info = workbench.encode("talk.mp4")
    assert list(info["list_hls_files"]) == ["180", "360", "2160"]
    assert list(info["list_mp4_files"]) == ["180", "2160"]
    (stream,) = probe(workbench.output / "2160p.mp4", "stream=width,height,level,codec_type")["streams"][:1]
    assert (stream["width"], stream["height"], stream["level"]) == (3840, 2160, 51)
