"""The ffmpeg commands, to the letter where a flag carries a law."""

from pathlib import Path

import pytest

from podjobs.contract.commands import MediaInput
from podjobs.encoding.audio import audio_argv
from podjobs.encoding.chunk import choose_threads, chunk_argv, key_frames
from podjobs.encoding.images import (
    count_tiles,
    cover_argv,
    images_argv,
    order_thumbnails,
    overview_captions,
    tile_width,
)
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.package import package_argv
from podjobs.encoding.recipe import Chunk, Recipe, Watermark
from podjobs.encoding.repackage import repackage_argv
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.subtitles import subtitles_argv
from podjobs.media.commands import input_argv
from podjobs.media.facts import AudioFacts, MediaFacts, PictureFacts, SubtitleFacts, VideoFacts

SETTINGS = EncodingSettings(media_root="/media")
SOURCE = MediaInput("/m/x.mp4", ("file",), "/pod/x.mp4")
TRACK = MediaInput("/w/96000.m4a", ("file",), "/pod/work/96000.m4a")
REMOTE = MediaInput("https://host/x.mp4?X-Amz-Signature=s", ("https", "tls", "tcp"), "/pod/x.mp4")
LOW = Rendition(
    name="360",
    width_px=640,
    height_px=360,
    maxrate_bps=1_000_000,
    audio_bps=96_000,
    mp4=True,
    preset="faster",
    crf=20,
    references=2,
    level="3",
)
HIGH = LOW.model_copy(update={"name": "1080", "width_px": 1920, "height_px": 1080, "mp4": False, "level": "4"})


def recipe(**changes):
    values = {
        "source": 'videos/abc/-talk\'s "é".mp4',
        "facts": MediaFacts(
            format_name="mov",
            start_s=0.5,
            duration_s=100,
            video=VideoFacts(
                index=0, codec="h264", width_px=1920, height_px=1080, frame_rate=25, start_s=0.5, frames=None
            ),
            audio=AudioFacts(index=1, codec="aac", sample_rate_hz=44100, channels=6, start_s=0.5),
        ),
        "renditions": (LOW, HIGH),
        "origin_s": 0.5,
        "duration_s": 100.0,
        "ends": False,
        "preroll_s": 1.0,
    }
    return Recipe.model_validate(values | changes)


SUBTITLED = recipe().facts.model_copy(update={"subtitles": (SubtitleFacts(index=2, codec="subrip", language="fre"),)})


def after(argv, option):
    return argv[argv.index(option) + 1]


def test_chunk_argv_first_chunk_does_not_seek_and_cuts_only_its_end():
    argv = chunk_argv(recipe(), Chunk(number=0, start_s=0, end_s=8, expected_end_s=8), [SOURCE], "/w", SETTINGS)
    assert "-ss" not in argv
    assert after(argv, "-filter_complex").startswith(
        "[0:0]settb=1/90000[s0];[s0]trim=end=8.500000[s1];[s1]setpts=PTS-45000"
    )


def test_chunk_argv_later_chunk_seeks_before_its_start_and_trims_by_the_frames_own_times():
    argv = chunk_argv(recipe(), Chunk(number=1, start_s=8, end_s=16, expected_end_s=16), [SOURCE], "/w", SETTINGS)
    before_input = argv[: argv.index("-i")]
    assert after(before_input, "-ss") == "7.500000"
    assert {"-copyts", "-noaccurate_seek"} <= set(before_input)
    assert "trim=end=16.500000:start=8.500000" in after(argv, "-filter_complex")


def test_chunk_argv_source_is_read_with_whitelists():
    """A playlist or script in disguise opens no file and no connection."""
    argv = chunk_argv(recipe(), Chunk(number=0, start_s=0, end_s=None), [SOURCE], "/w", SETTINGS)
    before_input = argv[: argv.index("-i")]
    assert after(before_input, "-protocol_whitelist") == "file"
    assert not {"hls", "concat", "dash"} & set(after(before_input, "-format_whitelist").split(","))


@pytest.mark.parametrize(
    "argv",
    [
        chunk_argv(
            recipe(watermark=Watermark(picture="w.png", position="top_left", opacity=1)),
            Chunk(number=0, start_s=0, end_s=None), [REMOTE, REMOTE], "/w", SETTINGS,
        ),
        audio_argv(recipe(), [REMOTE], "/w", SETTINGS),
        package_argv(LOW, REMOTE, "/w", SETTINGS),
        subtitles_argv([(SUBTITLED.subtitles[0], Path("/w/a.vtt"))], REMOTE, SETTINGS),
        repackage_argv(SUBTITLED, REMOTE, "/w/x.mkv", SETTINGS),
        cover_argv(REMOTE, PictureFacts(index=2, width_px=300, height_px=300), "/w", SETTINGS),
        input_argv(REMOTE, SETTINGS),
    ],
    ids=["chunk", "audio", "package", "subtitles", "repackage", "cover", "ffprobe"],
)  # fmt: skip
def test_argv_each_input_is_read_by_its_own_protocols_alone(argv):
    reads = [position for position, word in enumerate(argv) if word == "-i" and argv[position + 1] == REMOTE.url]
    allowed = [argv[position + 1] for position, word in enumerate(argv) if word == "-protocol_whitelist"]
    assert reads
    assert allowed == ["https,tls,tcp"] * len(reads)


def test_chunk_argv_every_rendition_is_encoded_once_from_one_decode():
    argv = chunk_argv(recipe(), Chunk(number=0, start_s=0, end_s=None), [SOURCE], "/w", SETTINGS)
    assert argv.count("-i") == 1
    assert [part for part in argv if part.endswith(".nut")] == ["/w/360.nut", "/w/1080.nut"]
    assert argv.count("libx264") == 2


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (Chunk(number=1, start_s=8, end_s=16, expected_end_s=16), "8,10,12,14"),
        (Chunk(number=2, start_s=16, end_s=None, expected_end_s=20.5), "16,18,20"),
        (Chunk(number=0, start_s=0, end_s=None), "expr:gte(t,n_forced*2)"),
    ],
)
def test_key_frames_lie_on_the_segment_grid(chunk, expected):
    assert key_frames(chunk, 2) == expected


def test_audio_argv_all_bit_rates_come_from_one_pass_and_begin_with_the_picture():
    argv = audio_argv(recipe(), [SOURCE], "/w", SETTINGS)
    assert argv.count("-i") == 1
    assert [part for part in argv if part.startswith("/w/")] == ["/w/audio_192k.mp3", "/w/96000.m4a"]
    filters = after(argv, "-filter_complex")
    assert "asetpts=PTS-24000" in filters  # 0.5 s at 48 kHz
    assert "first_pts=0" in filters
    assert "channel_layouts=stereo" in filters


def test_audio_argv_of_an_audio_file_makes_what_pod_offers():
    sound = recipe(facts=recipe().facts.model_copy(update={"video": None}), renditions=())
    argv = audio_argv(sound, [SOURCE], "/w", SETTINGS)
    assert [part for part in argv if part.startswith("/w/")] == ["/w/audio_192k.mp3", "/w/audio_192k.m4a"]


def test_package_argv_copies_streams_and_makes_mp4_only_where_wanted():
    low, high = (package_argv(rendition, TRACK, "/w", SETTINGS) for rendition in (LOW, HIGH))
    assert "libx264" not in low + high
    assert "/w/360p.mp4" in low
    assert not any(part.endswith(".mp4") for part in high)
    assert after(low, "-hls_flags") == "single_file"
    assert after(low, "-movflags") == "+faststart"


@pytest.mark.parametrize(("duration_s", "tiles"), [(9.99, 0), (10, 10), (99.9, 10), (100, 100), (36_000, 100)])
def test_count_tiles_follows_pod(duration_s, tiles):
    assert count_tiles(duration_s, 160) == tiles


@pytest.mark.parametrize(
    ("size", "width_px"), [((640, 360), 160), ((360, 640), 50), ((360, 360), 90), ((860, 360), 216)]
)
def test_tile_width_keeps_the_aspect(size, width_px):
    assert tile_width(*size) == width_px


def test_overview_captions_name_the_part_of_the_strip():
    lines = overview_captions(25.0, 10, 160).splitlines()
    assert lines[0] == "WEBVTT"
    assert lines[2:4] == ["00:00:00.000 --> 00:00:02.500", "overview.png#xywh=0,0,160,90"]
    assert lines[-2:] == ["00:00:22.500 --> 00:00:25.000", "overview.png#xywh=1440,0,160,90"]


@pytest.mark.parametrize(("duration_s", "skips"), [(30, False), (1000, True)])
def test_images_argv_decodes_key_frames_only_where_they_suffice(duration_s, skips):
    """1,000 s in 100 pictures: one every 10 s, and a key frame every 2 s."""
    assert ("-skip_frame" in images_argv(recipe(), duration_s, "/w", SETTINGS)) == skips


def test_order_thumbnails_cover_comes_second():
    """Pod shows the second one."""
    names = ["thumbnail_0001.png", "thumbnail_0002.png", "thumbnail_4.png"]
    assert order_thumbnails(names, ["thumbnail_4.png"]) == [
        "thumbnail_0001.png",
        "thumbnail_4.png",
        "thumbnail_0002.png",
    ]


@pytest.mark.parametrize(
    ("set_by_operator", "slots_per_processor", "chunks_per_processor", "threads"),
    [
        (0, 1, 3, 1),  # chunks enough for all processors: no thread waits for another
        (0, 1, 2, 0),  # the last ones would leave processors idle
        (3, 1, 3, 3),
    ],
)
def test_choose_threads_one_where_chunks_fill_the_processors(
    set_by_operator, slots_per_processor, chunks_per_processor, threads
):
    processors = EncodingSettings(media_root="/media").processors
    settings = EncodingSettings(
        media_root="/media",
        ffmpeg_nb_threads=set_by_operator,
        podjobs_encoding_slots=slots_per_processor * processors,
    )
    assert choose_threads(chunks_per_processor * processors, settings) == threads


def test_choose_threads_fewer_slots_than_processors_leaves_it_to_x264():
    settings = EncodingSettings(media_root="/media")
    fewer = settings.model_copy(update={"podjobs_encoding_slots": max(1, settings.processors - 1)})
    expected = 1 if settings.processors == 1 else 0
    assert choose_threads(100 * settings.processors, fewer) == expected


def test_images_argv_percent_in_the_folder_is_not_a_pattern():
    argv = images_argv(recipe(), 60, "/media/100% sure", SETTINGS)
    assert "/media/100%% sure/thumbnail_%04d.png" in argv
    assert "/media/100% sure/overview.png" in argv
