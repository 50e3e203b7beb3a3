"""What may be decoded: old codecs of lectures, refusals whose remedy works, and streams that are not used."""

import re
import subprocess
from itertools import pairwise

import pytest

from podjobs.contract.errors import PermanentError
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.codecs import ACCEPTED, CODECS, DECODERS, REFUSED
from support.handmade import LECTURES, write_avi
from support.media import colours_of, count_frames, ffmpeg, make_video, packets, probe

SLOW = pytest.mark.slow

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
RATE = 10
DECIDED_UNTIL = 5
"""ffmpeg's major version all of whose codecs were decided one by one; later ones may have more."""


@pytest.fixture(scope="module")
def decoders():
    """ffmpeg's decoders by codec, the one that it chooses first."""
    said = subprocess.run(["ffmpeg", "-hide_banner", "-codecs"], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in said.partition("-------\n")[2].splitlines():
        flags, codec = line.split()[:2]
        named = re.search(r"\(decoders: ([^)]+)\)", line)
        if flags.startswith("D"):
            found[codec] = named[1].split() if named else [codec]
    return found


def test_codecs_every_accepted_one_is_decoded_by_the_decoder_that_ffmpeg_chooses(decoders):
    """The names of codecs and decoders differ; a whitelist of decoders with a wrong name refuses everything."""
    missing = set(CODECS) - set(decoders) - {"ssa"}  # which older versions call `ass`
    assert len(missing) < 5  # a later version may have turned a few into others
    wrong = {
        codec: names[0] for codec, names in decoders.items() if names[0] not in DECODERS.get(codec, (codec,))
    }  # also of those that an operator may add
    assert wrong == {}


def test_codecs_each_that_this_ffmpeg_decodes_is_decided(decoders):
    version = subprocess.run(["ffmpeg", "-version"], check=True, capture_output=True, text=True).stdout
    major = re.match(r"ffmpeg version n?(\d+)", version)
    if major is None or int(major[1]) > DECIDED_UNTIL:
        pytest.skip("a later version may have codecs that nobody has decided; they are not accepted")
    decided = {name for table in (ACCEPTED, REFUSED) for names in table.values() for name in names.split()}
    assert set(decoders) - decided == set()


def assert_every_frame_in_its_place(workbench, name, rate=RATE):
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert len(times) == count_frames(workbench.folder / name)
    assert max(after - before for before, after in pairwise(times)) < 1.05 / rate


@pytest.mark.parametrize("kind", LECTURES)
def test_encode_lecture_written_by_hand(workbench, kind):
    """Codecs that ffmpeg does not encode: the bar grows in every frame."""
    codec, bits, draw = LECTURES[kind]
    (workbench.folder / "talk.avi").write_bytes(write_avi(codec, bits, [draw(number) for number in range(50)]))
    workbench.encode("talk.avi")
    assert_every_frame_in_its_place(workbench, "talk.avi")
    if bits == 8:
        # the palette has survived: 7, 248, 7 in the bar and 200, 55, 200 beside it, which is most of the picture
        first = colours_of(workbench.output / "180p.mp4", "crop=40:40:100:40,")[0]
        assert first == pytest.approx((200, 55, 200), abs=6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("a.flv", ("-c:v", "flashsv", "-c:a", "adpcm_swf", "-ar", "22050")),
        ("a.flv", ("-c:v", "flashsv2", "-c:a", "libmp3lame")),  # Matroska has no name for it
        pytest.param("a.avi", ("-c:v", "zmbv", "-c:a", "adpcm_yamaha"), marks=SLOW),
        pytest.param("a.avi", ("-c:v", "msvideo1", "-c:a", "adpcm_ms"), marks=SLOW),
        pytest.param("a.avi", ("-c:v", "ffvhuff", "-pix_fmt", "yuv420p", "-c:a", "pcm_f32le"), marks=SLOW),
        pytest.param("a.mov", ("-c:v", "jpeg2000", "-c:a", "adpcm_ima_qt"), marks=SLOW),
        pytest.param("a.mkv", ("-c:v", "jpeg2000", "-c:a", "pcm_s16le"), marks=SLOW),
        pytest.param("a.mov", ("-c:v", "smc", "-pix_fmt", "pal8", "-c:a", "pcm_s8"), marks=SLOW),
        pytest.param("a.mov", ("-c:v", "speedhq", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16be"), marks=SLOW),
        pytest.param("a.mov", ("-c:v", "v410", "-c:a", "pcm_s24le"), marks=SLOW),
        ("a.ts", (*X264, "-strict", "-2", "-c:a", "s302m", "-ar", "48000", "-ac", "2")),
        pytest.param("a.m2ts", (*X264, "-strict", "-2", "-c:a", "truehd", "-ar", "48000"), marks=SLOW),
        pytest.param("a.mkv", (*X264, "-strict", "-2", "-c:a", "mlp", "-ar", "48000"), marks=SLOW),
        pytest.param("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "adpcm_ima_wav"), marks=SLOW),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value[1:4:2]),
)
def test_encode_old_codecs_keep_every_frame_in_its_place(workbench, name, coding):
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s=160x96:r={RATE}", "-f", "lavfi", "-i", "sine=f=440:r=44100", "-t", 3,
        *coding, workbench.folder / name,
    )  # fmt: skip
    info = workbench.encode(name)
    assert_every_frame_in_its_place(workbench, name)
    assert list(info["list_mp3_files"]) == ["192k"]


@pytest.mark.parametrize(
    ("codec", "rate_hz", "rate_bps"),
    [("g722", 16000, 64000), ("g726", 8000, 32000), ("g723_1", 8000, 6300), ("libgsm_ms", 8000, 13000)],
)
def test_encode_voice_recorders(workbench, codec, rate_hz, rate_bps):
    ffmpeg("-f", "lavfi", "-i", "sine=f=440", "-t", 3, "-c:a", codec, "-b:a", rate_bps, "-ar", rate_hz,
           workbench.folder / "a.wav")  # fmt: skip
    assert workbench.encode("a.wav")["duration"] == 3


@pytest.mark.parametrize(
    ("name", "coding", "kind", "codec"),
    [
        ("a.avi", ("-c:v", "snow", "-strict", "-2", "-c:a", "pcm_s16le"), "video", "snow"),
        ("a.mkv", (*X264, "-c:a", "wavpack"), "audio", "wavpack"),
        pytest.param("a.avi", ("-c:v", "zlib", "-c:a", "pcm_s16le"), "video", "zlib", marks=SLOW),
    ],
)
def test_encode_refusal_names_a_remedy_that_works_as_written(workbench, name, coding, kind, codec):
    make_video(workbench.folder / name, *coding, duration_s=2, size="160x96", rate=RATE)
    with pytest.raises(PermanentError) as refused:
        workbench.encode(name)
    assert f"The {kind} of" in refused.value.detail
    assert f"is coded as '{codec}', which is not an accepted codec" in refused.value.detail
    setting = re.search(r"set PODJOBS_CODECS to '(.+)'\.$", refused.value.detail)
    accept(workbench, setting[1])
    workbench.encode(name)
    assert_every_frame_in_its_place(workbench, name)


def test_encode_palette_is_converted_by_the_matrix_that_the_video_states(workbench):
    ffmpeg("-f", "lavfi", "-i", "color=0xC837C8:s=160x120:r=5,format=pal8", "-t", 2, "-c:v", "qtrle",
           workbench.folder / "a.mov")  # fmt: skip
    workbench.encode("a.mov")
    assert colours_of(workbench.output / "180p.mp4")[0] == pytest.approx((200, 55, 200), abs=4)


def test_encode_palette_of_an_avi_of_which_not_all_streams_are_opened(workbench):
    """What a container knows of a stream before it is opened does not include a palette."""
    codec, bits, draw = LECTURES["tscc-8"]
    lecture = write_avi(codec, bits, [draw(number) for number in range(20)], second=b"MSZH")
    (workbench.folder / "talk.avi").write_bytes(lecture)
    workbench.encode("talk.avi")
    assert any("left out: video stream 1 (mszh)" in sentence for sentence in workbench.run.log)
    assert colours_of(workbench.output / "180p.mp4", "crop=40:40:100:40,")[0] == pytest.approx((200, 55, 200), abs=6)


def accept(workbench, setting):
    """What an operator does: the value goes into the environment."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PODJOBS_CODECS", setting)
        values = workbench.settings.model_dump(exclude={"podjobs_codecs"})
        workbench.settings = EncodingSettings.model_validate(values)
    workbench.__post_init__()


@pytest.mark.parametrize("name", ["camtasia", "tscc"])
def test_encode_codec_and_decoder_are_both_understood(workbench, name):
    """ffmpeg says «camtasia» of a decoder and «tscc» of a codec."""
    codec, bits, draw = LECTURES["tscc"]
    (workbench.folder / "talk.avi").write_bytes(write_avi(codec, bits, [draw(number) for number in range(20)]))
    accept(workbench, '["h264", "aac"]')
    with pytest.raises(PermanentError, match=re.escape("""set PODJOBS_CODECS to '["h264", "aac", "tscc"]'""")):
        workbench.encode("talk.avi")
    accept(workbench, f'["h264", "aac", "flac", "{name}"]')
    workbench.encode("talk.avi")
    assert_every_frame_in_its_place(workbench, "talk.avi")


def two_videos(path, second, *options):
    """A usual recording with another video that is not used."""
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=160x88:r=10", "-f", "lavfi", "-i", "sine=r=48000", "-f", "lavfi", "-i",
        "testsrc2=s=64x64:r=10", "-t", 4, "-map", 0, "-map", 1, "-map", 2, "-c:v:0", "libx264", "-preset", "ultrafast",
        "-pix_fmt:v:0", "yuv420p", "-c:a", "aac", *options, "-c:v:1", second, "-strict", "-2", path,
    )  # fmt: skip
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "second"),
    [("a.mkv", "magicyuv"), ("a.mov", "hap"), pytest.param("a.avi", "zlib", marks=SLOW)],
    ids=["mkv", "mov", "avi"],
)
def test_encode_video_that_is_not_used_is_left_out(workbench, tmp_path, name, second):
    pixels = ("-pix_fmt:v:1", {"magicyuv": "gbrp", "hap": "rgba", "zlib": "bgr24"}[second])
    in_avi = ("-c:v:0", "mjpeg", "-pix_fmt:v:0", "yuvj420p", "-c:a", "pcm_s16le")
    first = in_avi if name == "a.avi" else ("-bf:v:0", "2")
    made = two_videos(tmp_path / name, second, *pixels, *first)
    turn = ("-metadata:s:v:0", "rotate=90") if name == "a.mov" else ()
    ffmpeg("-i", made, "-map", 0, "-c", "copy", *turn, workbench.folder / name)
    info = workbench.encode(name)
    assert any(f"left out: video stream 2 ({second})." in sentence for sentence in workbench.run.log)
    times = sorted(pts for pts, _, _ in packets(workbench.output / "180p.ts"))
    assert len(times) == 40
    assert max(after - before for before, after in pairwise(times)) < 0.105
    assert (info["duration"], list(info["list_mp3_files"])) == (4, ["192k"])
    (stream,) = probe(workbench.output / "180p.ts", "stream=width,height")["streams"][:1]
    # a phone's recording remains upright
    assert (stream["width"], stream["height"]) == ((88, 160) if name == "a.mov" else (160, 88))


@pytest.mark.parametrize("name", ["a.mkv", pytest.param("a.mka", marks=SLOW)])
def test_encode_first_sound_that_is_not_accepted_does_not_hide_the_second(workbench, name):
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x88:r=10", "-map", "2:v", *X264) if name == "a.mkv" else ()
    inputs = ("-f", "lavfi", "-i", "sine=f=300:r=48000", "-f", "lavfi", "-i", "sine=f=3000:r=48000")
    ffmpeg(*inputs, *picture[:4], "-t", 4, "-map", "0:a", "-map", "1:a", *picture[4:], "-c:a:0", "wavpack",
           "-c:a:1", "aac", workbench.folder / name)  # fmt: skip
    workbench.encode(name)
    assert any("(wavpack)" in sentence for sentence in workbench.run.log)
    assert loudness(workbench.output / "audio_192k.mp3", 3000) > loudness(workbench.output / "audio_192k.mp3", 300) + 20


@pytest.mark.parametrize("sounds", [2, 1])
def test_encode_sound_that_ffmpeg_does_not_know_is_left_out(workbench, sounds):
    """Apple's spatial audio is the first or only track of some recordings; ffmpeg 5.1 has no name for it."""
    path = workbench.folder / "a.mov"
    inputs = ("-f", "lavfi", "-i", "sine=f=300:r=48000", "-f", "lavfi", "-i", "sine=f=3000:r=48000")
    ffmpeg(*inputs, "-f", "lavfi", "-i", "testsrc2=s=160x88:r=10", "-t", 4, "-map", "2:v", *X264, "-map", "0:a",
           *("-map", "1:a")[: 2 * (sounds - 1)], "-c:a", "aac", path)  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"apac", 1).replace(b"esds", b"dapa", 1))
    info = workbench.encode("a.mov")
    assert "The audio stream 1 has a codec that ffmpeg does not know, and is left out." in workbench.run.log
    assert len(packets(workbench.output / "180p.ts")) == 40
    assert list(info["list_mp3_files"]) == (["192k"] if sounds == 2 else [])
    if sounds == 2:
        made = workbench.output / "audio_192k.mp3"
        assert loudness(made, 3000) > loudness(made, 300) + 20


def test_encode_sound_alone_that_ffmpeg_does_not_know_is_refused(workbench):
    path = workbench.folder / "a.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 2, "-c:a", "aac", path)
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"apac", 1).replace(b"esds", b"dapa", 1))
    with pytest.raises(PermanentError, match="has a codec that ffmpeg does not know"):
        workbench.encode("a.m4a")


def loudness(path, frequency_hz):
    """Mean volume of a narrow band, dB."""
    argv = ["ffmpeg", "-hide_banner", "-i", path, "-f", "null", "-af", f"bandpass=f={frequency_hz}:w=100,volumedetect"]
    said = subprocess.run([*argv, "-"], check=True, capture_output=True, text=True).stderr
    return float(next(line for line in said.splitlines() if "mean_volume" in line).split()[-2])


@pytest.mark.parametrize("name", ["a.mp4", "vorbis.mkv", pytest.param("a.mkv", marks=SLOW)])
def test_encode_sound_whose_header_no_decoder_accepts_leaves_the_picture(workbench, name):
    """AAC of a kind that ffmpeg 5.1 does not decode (xHE-AAC), or a damaged header of Vorbis."""
    path = workbench.folder / name
    make_video(path, *X264, "-c:a", "libvorbis" if "vorbis" in name else "aac", "-ac", 2, duration_s=2, size="160x88")
    data = path.read_bytes()
    if "vorbis" in name:
        start = data.index(b"\5vorbis") + 20
        path.write_bytes(data[:start] + b"\xff" * 300 + data[start + 300 :])
    else:
        start = data.index(b"\x12\x10\x56\xe5\x00")  # AudioSpecificConfig: AAC-LC, 44.1 kHz, stereo
        path.write_bytes(data[:start] + b"\xf9\x4a\x40\x00\x00" + data[start + 5 :])
    info = workbench.encode(name)
    assert len(packets(workbench.output / "180p.ts")) == 50
    assert info["list_mp3_files"] == {}
    assert any("left out: audio stream 1" in sentence for sentence in workbench.run.log)


def test_encode_video_that_is_not_accepted_is_refused_although_another_is_there(workbench):
    """The first video is the one that players show: another must not be published in its place."""
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x64:r=10", "-f", "lavfi", "-i", "testsrc2=s=160x88:r=10", "-t", 2, "-map", 0,
        "-map", 1, "-c:v:0", "magicyuv", "-pix_fmt:v:0", "gbrp", "-c:v:1", "libx264", workbench.folder / "a.mkv",
    )  # fmt: skip
    with pytest.raises(PermanentError, match=r"The video of .* is coded as 'magicyuv'"):
        workbench.encode("a.mkv")


@pytest.mark.slow
def test_encode_credits_with_a_stream_that_is_not_used(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=2, size="160x88", rate=10)
    (workbench.root / "videos" / "credits").mkdir(parents=True)
    two_videos(workbench.root / "videos" / "credits" / "opening.mkv", "magicyuv", "-pix_fmt:v:1", "gbrp")
    request = {"opening_credits": "a-slug", "opening_credits_video": "videos/credits/opening.mkv"}
    path = f"{workbench.settings.media_root}/videos/credits/opening.mkv"
    workbench.encode("talk.mp4", json_dressing=request, dressing_input=f' -i "{path}"')
    assert len(packets(workbench.output / "180p.ts")) == 60
