"""Dressed videos: a watermark on the main video, credits before and after it, joined without a second generation."""

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from podjobs.contract.errors import PermanentError, RetryableError
from support.media import ffmpeg, make_video, packets, probe
from support.media_storages import POD_ROOT

FPS = 25
TONES_HZ = {"opening": 400, "main": 900, "ending": 2000}
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def solid(path, colour, tone_hz, *, duration_s, size="640x360", rate=FPS, coding=X264):
    """One colour and one tone; no sound without a tone."""
    inputs = ["-f", "lavfi", "-i", f"color={colour}:s={size}:r={rate}"]
    if tone_hz:
        inputs += ["-f", "lavfi", "-i", f"sine=f={tone_hz}:r=44100"]
    path.parent.mkdir(parents=True, exist_ok=True)
    ffmpeg(*inputs, "-t", duration_s, *coding, path)
    return path


@pytest.fixture
def dressed(workbench):
    """Encode a blue main video with what the test asks for."""

    def encode(main="talk.mp4", *, around=(), watermark=None, main_tone=TONES_HZ["main"], **changes):
        if not (workbench.folder / main).exists():
            solid(workbench.folder / main, "blue", main_tone, duration_s=5)
        request, inputs = {"position_orig": "top_right", "opacity": 100}, []
        request |= changes.pop("dressing", {})
        if watermark:
            request["watermark_path"] = f"{POD_ROOT}/files/{watermark}"
            inputs.append(request["watermark_path"])
        for which, name in around:
            video = f"videos/credits/{name}"
            request |= {f"{which}_credits": "a-slug", f"{which}_credits_video": video}
            inputs.append(f"{POD_ROOT}/{video}")
        fragment = "".join(f' -i "{path}"' for path in inputs)
        return workbench.encode(main, json_dressing=request, dressing_input=fragment, **changes)

    return encode


@pytest.fixture
def credit(workbench):
    """Make a credit video."""

    def make(name, colour, tone_hz, **how):
        return solid(workbench.root / "videos" / "credits" / name, colour, tone_hz, **how).name

    return make


def pixel(path, time_s, x, y):
    """Red, green, blue at a place, which is given as shares of the picture."""
    crop = f"crop=2:2:iw*{x}:ih*{y},format=rgb24"
    argv = ["ffmpeg", "-v", "error", "-i", str(path), "-ss", str(time_s), "-vf", crop, "-frames:v", "1"]
    return tuple(subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout[:3])


RED, BLUE, GREEN, BLACK = (254, 0, 0), (0, 0, 254), (0, 128, 0), (0, 0, 0)


def near(colour):
    return pytest.approx(colour, abs=14)


def loudest(path, begin_s, end_s):
    """The tone that is loudest in a part of the sound; None when it is silent."""
    volumes = {}
    for name, frequency_hz in TONES_HZ.items():
        filters = f"atrim={begin_s}:{end_s},bandpass=f={frequency_hz}:width_type=h:w=60,volumedetect"
        argv = ["ffmpeg", "-hide_banner", "-i", str(path), "-vn", "-af", filters, "-f", "null", "-"]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stderr
        volumes[name] = float(next(line for line in said.splitlines() if "mean_volume" in line).split()[-2])
    best = max(volumes, key=volumes.get)
    return best if volumes[best] > -50 else None


@pytest.mark.slow
def test_credits_of_another_size_rate_and_sound_are_joined_to_the_main_video(workbench, dressed, credit):
    """4:3 at 30 fps and 22 kHz before, portrait at 50 fps after; the main video at 25 fps between."""
    opening = credit("opening.mp4", "red", TONES_HZ["opening"], duration_s=2, size="320x240", rate=30)
    ending = credit("ending.mp4", "green", TONES_HZ["ending"], duration_s=3, size="240x480", rate=50)
    info = dressed(around=[("opening", opening), ("ending", ending)])
    assert info["duration"] == 10
    for made in (workbench.output / "360p.ts", workbench.output / "180p.mp4"):
        assert len(packets(made)) == 2 * 30 + 5 * FPS + 3 * 50
        assert pixel(made, 1, 0.5, 0.5) == near(RED)
        assert pixel(made, 1, 0.02, 0.5) == near(BLACK)
        assert pixel(made, 4, 0.02, 0.5) == near(BLUE)
        assert pixel(made, 8.5, 0.5, 0.5) == near(GREEN)
        assert pixel(made, 8.5, 0.1, 0.5) == near(BLACK)
    sound = workbench.output / "180p.mp4"
    assert [loudest(sound, *part) for part in ((0.2, 1.8), (2.2, 6.8), (7.2, 9.8))] == ["opening", "main", "ending"]
    times = [pts for pts, _, _ in packets(workbench.output / "360p.ts")]
    assert max(after - before for before, after in pairwise(sorted(times))) < 0.041
    assert sorted(path.name for path in workbench.output.glob("overview.*")) == ["overview.png", "overview.vtt"]


def test_credits_begin_and_end_on_the_frame(workbench, dressed, credit):
    opening = credit("opening.mp4", "red", None, duration_s=1.48)
    dressed(around=[("opening", opening)])
    made = workbench.output / "360p.ts"
    at_join = [pixel(made, (frame - 0.5) / FPS, 0.5, 0.5) for frame in (36, 37)]
    assert at_join == [near(RED), near(BLUE)]


@pytest.mark.parametrize(
    ("credit_tone", "main_tone", "expected"),
    [
        (None, 900, [None, "main"]),
        pytest.param(400, None, ["opening", None], marks=pytest.mark.slow),
        pytest.param(None, None, None, marks=pytest.mark.slow),
    ],
    ids=["silent credits", "silent main", "no sound at all"],
)
def test_parts_without_sound_are_silent(workbench, dressed, credit, credit_tone, main_tone, expected):
    opening = credit("opening.mp4", "red", credit_tone, duration_s=2)
    dressed(around=[("opening", opening)], main_tone=main_tone)
    kinds = [stream["codec_type"] for stream in probe(workbench.output / "180p.mp4", "stream=codec_type")["streams"]]
    if expected is None:
        assert kinds == ["video"]
        return
    assert kinds == ["video", "audio"]
    assert [loudest(workbench.output / "180p.mp4", *part) for part in ((0.2, 1.8), (2.2, 6.8))] == expected


@pytest.mark.slow
def test_the_same_credits_may_come_before_and_after(workbench, dressed, credit):
    both = credit("both.mp4", "red", TONES_HZ["opening"], duration_s=2)
    silent = credit("silent.mp4", "red", None, duration_s=2)
    for name, tone in ((both, "opening"), (silent, None)):
        assert dressed(around=[("opening", name), ("ending", name)])["duration"] == 9
        parts = ((0.2, 1.8), (2.2, 6.8), (7.2, 8.8))
        assert [loudest(workbench.output / "180p.mp4", *part) for part in parts] == [tone, "main", tone]


def test_cut_is_of_the_main_video_and_credits_stay_whole(workbench, dressed, credit):
    opening = credit("opening.mp4", "red", None, duration_s=2)
    ending = credit("ending.mp4", "green", None, duration_s=2)
    info = dressed(around=[("opening", opening), ("ending", ending)], cut_start=1, cut_end=2.6)
    assert info["duration"] == 5
    assert len(packets(workbench.output / "360p.ts")) == 50 + 40 + 50
    assert pixel(workbench.output / "360p.ts", 3.9, 0.5, 0.5) == near(GREEN)


@pytest.mark.parametrize(
    ("position", "inside", "outside"),
    [
        pytest.param("top_right", (0.935, 0.1), (0.975, 0.02), marks=pytest.mark.slow),
        pytest.param("top_left", (0.065, 0.1), (0.025, 0.02), marks=pytest.mark.slow),
        pytest.param("bottom_right", (0.935, 0.9), (0.975, 0.98), marks=pytest.mark.slow),
        ("bottom_left", (0.065, 0.9), (0.025, 0.98)),
    ],
)
def test_watermark_lies_in_its_corner_on_the_main_video_only(workbench, dressed, credit, position, inside, outside):
    (workbench.root / "files").mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=red:s=100x100", "-frames:v", 1, workbench.root / "files" / "mark.png")
    opening = credit("opening.mp4", "green", None, duration_s=2)
    dressed(around=[("opening", opening)], watermark="mark.png", dressing={"position_orig": position})
    made = workbench.output / "360p.ts"
    assert pixel(made, 4, *inside) == near(RED)
    assert pixel(made, 4, *outside) == near(BLUE)
    assert pixel(made, 4, 0.5, 0.5) == near(BLUE)
    assert pixel(made, 1, *inside) == near(GREEN)


def test_watermark_has_its_height_and_opacity_in_every_chunk(workbench, dressed):
    (workbench.root / "files").mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=white:s=400x100", "-frames:v", 1, workbench.root / "files" / "mark.jpg")
    dressed(watermark="mark.jpg", dressing={"opacity": 50, "position_orig": "top_left"})
    for time_s in (0.1, 1.9, 2.1, 4.5):
        made = workbench.output / "360p.ts"
        assert pixel(made, time_s, 0.1, 0.1) == pytest.approx((127, 127, 254), abs=16)
        assert pixel(made, time_s, 0.1, 0.17) == near(BLUE)  # 5 % + 10 %


@pytest.mark.slow
def test_webm_main_without_a_length_and_webm_credits_are_dressed(workbench, dressed, credit):
    """As a browser records it."""
    coding = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-c:a", "libopus")
    with_length = solid(workbench.folder / "whole.webm", "blue", 900, duration_s=5, coding=coding)
    with (workbench.folder / "talk.webm").open("wb") as live:
        argv = ["ffmpeg", "-v", "error", "-i", str(with_length), "-c", "copy", "-f", "webm", "-live", "1", "-"]
        subprocess.run(argv, check=True, stdout=live)
    ending = credit("ending.webm", "green", 2000, duration_s=2, coding=coding)
    dressed("talk.webm", around=[("ending", ending)])
    made = workbench.output / "360p.ts"
    assert len(packets(made)) == 125 + 50
    assert pixel(made, 6, 0.5, 0.5) == near(GREEN)
    assert [loudest(workbench.output / "180p.mp4", *part) for part in ((0.2, 4.8), (5.2, 6.8))] == ["main", "ending"]


@pytest.mark.parametrize(
    ("dressing", "reason", "part"),
    [
        ({"watermark_path": f"{POD_ROOT}/files/text.png"}, "is not a picture that can be read", "watermark"),
        (
            {"ending_credits": "s", "ending_credits_video": "videos/credits/sound.mp3"},
            "have no video",
            "ending_credits",
        ),
    ],
)
def test_dressing_with_a_file_that_cannot_be_used_is_refused_with_its_reason(workbench, dressing, reason, part):
    make_video(workbench.folder / "talk.mp4", duration_s=2, size="320x180")
    (workbench.root / "files").mkdir()
    (workbench.root / "files" / "text.png").write_text("no picture")
    (workbench.root / "videos" / "credits").mkdir()
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 1, workbench.root / "videos" / "credits" / "sound.mp3")
    with pytest.raises(PermanentError, match=reason) as refused:
        workbench.encode("talk.mp4", json_dressing=dressing)
    assert refused.value.kind == part
    assert not workbench.output.exists()


@pytest.mark.parametrize(
    ("dressing", "part"),
    [
        ({"opening_credits": "slug", "opening_credits_video": "videos/credits/gone.mp4"}, "opening_credits"),
        ({"watermark_path": f"{POD_ROOT}/files/gone.png"}, "watermark"),
    ],
    ids=["credits", "watermark"],
)
def test_missing_dressing_is_waited_for_and_named(workbench, dressing, part):
    """A shared folder may show it later; once all attempts are used up, this is the job's error."""
    make_video(workbench.folder / "talk.mp4", duration_s=2, size="320x180")
    with pytest.raises(RetryableError, match="gone") as missing:
        workbench.encode("talk.mp4", json_dressing=dressing)
    assert missing.value.kind == part
    assert not workbench.output.exists()


@pytest.mark.slow
def test_credits_do_not_make_one_channel_quieter(workbench, dressed, credit):
    """ffmpeg's own way from one channel to two loses 3 dB."""
    opening = credit("opening.mp4", "red", TONES_HZ["opening"], duration_s=2)
    solid(workbench.folder / "talk.mp4", "blue", TONES_HZ["main"], duration_s=5)
    dressed(around=[("opening", opening)])
    before, after = (
        subprocess.run(
            ["ffmpeg", "-hide_banner", "-ss", start, "-t", "2", "-i", path, "-af", "volumedetect", "-f", "null", "-"],
            check=True, capture_output=True, text=True,
        ).stderr
        for start, path in (("1", workbench.folder / "talk.mp4"), ("3", workbench.output / "180p.mp4"))
    )  # fmt: skip
    volumes = [float(re.search(r"mean_volume: (\S+) dB", said)[1]) for said in (before, after)]
    assert volumes[1] == pytest.approx(volumes[0], abs=0.3)


def test_watermark_that_is_a_playlist_reads_no_other_file(workbench, dressed):
    (workbench.root / "files").mkdir()
    (workbench.root / "files" / "mark.png").write_text("#EXTM3U\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n")
    with pytest.raises(PermanentError, match="is not a picture that can be read"):
        dressed(watermark="mark.png")


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix", ["tiff", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("png", "jpg", "webp", "bmp", "gif"))]
)
def test_watermark_is_known_by_its_content_not_by_its_name(workbench, dressed, suffix):
    (workbench.root / "files").mkdir()
    picture = "testsrc2=s=200x100,format=rgb24,lutrgb=b=0"
    ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", workbench.root / "files" / f"mark.{suffix}")
    shutil.copy(workbench.root / "files" / f"mark.{suffix}", workbench.root / "files" / "other.jpg")
    for name in (f"mark.{suffix}", "other.jpg"):
        dressed(watermark=name)
        assert pixel(workbench.output / "360p.ts", 1, 0.93, 0.1) != near(BLUE)


@pytest.mark.slow
@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 128, 0)])
def test_watermark_has_its_colours_on_a_bt709_picture(workbench, dressed, colour):
    """Left to itself, ffmpeg takes BT.601."""
    (workbench.root / "files").mkdir()
    picture = f"color=0x{bytes(colour).hex()}:s=200x100,format=rgba"
    ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", workbench.root / "files" / "mark.png")
    tags = [word for tag in ("colorspace", "color_primaries", "color_trc") for word in (f"-{tag}", "bt709")]
    ffmpeg(
        "-f", "lavfi", "-i", "color=gray:s=1280x720:r=25", "-t", 2,
        "-vf", "scale=out_color_matrix=bt709,format=yuv420p",
        "-c:v", "libx264", "-preset", "ultrafast", *tags, workbench.folder / "talk.mp4",
    )  # fmt: skip
    dressed(watermark="mark.png")
    # a player that goes by the tags, unlike ffmpeg's default
    crop = "crop=2:2:iw*0.93:ih*0.09,scale=in_color_matrix=bt709,format=rgb24"
    argv = ["ffmpeg", "-v", "error", "-i", str(workbench.output / "360p.ts"), "-ss", "1", "-vf", crop, "-frames:v", "1"]
    shown = subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout[:3]
    assert tuple(shown) == pytest.approx(colour, abs=8)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["10x1000", "5000x2"])
def test_watermark_of_an_odd_shape_is_laid_on(workbench, dressed, size):
    (workbench.root / "files").mkdir()
    ffmpeg("-f", "lavfi", "-i", f"color=red:s={size}", "-frames:v", "1", workbench.root / "files" / "mark.png")
    assert dressed(watermark="mark.png")["list_hls_files"]


@pytest.mark.slow
def test_watermark_with_too_many_pixels_is_refused(workbench, dressed):
    (workbench.root / "files").mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=red:s=9000x9000", "-frames:v", "1", workbench.root / "files" / "mark.png")
    with pytest.raises(PermanentError, match="is not a picture that can be read"):
        dressed(watermark="mark.png")


@pytest.mark.slow
def test_watermark_stays_when_the_source_changes_its_size(workbench, dressed):
    """As recordings of video conferences do."""
    (workbench.root / "files").mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=red:s=200x100", "-frames:v", "1", workbench.root / "files" / "mark.png")
    data = b""
    for begin_s, size in ((0, "320x180"), (3, "640x360")):
        part = workbench.root / "part.ts"
        ffmpeg(
            "-f", "lavfi", "-i", f"color=blue:s={size}:r=25:d=3", *X264, "-g", 25, "-output_ts_offset", begin_s,
            "-muxdelay", 0, part,
        )  # fmt: skip
        data += part.read_bytes()
    (workbench.folder / "talk.ts").write_bytes(data)
    dressed("talk.ts", watermark="mark.png")
    for time_s in (1, 2.8, 3.1, 3.9, 5.5):
        assert pixel(workbench.output / "180p.mp4", time_s, 0.93, 0.1) == near(RED)
        assert pixel(workbench.output / "180p.mp4", time_s, 0.5, 0.5) == near(BLUE)
