"""The limits of encoding commands: many times what their steps should take, and no more."""

import pytest

from podjobs.contract.commands import CommandLimits
from podjobs.encoding.boundaries import place_boundaries
from podjobs.encoding.limits import (
    audio_limits,
    chunk_limits,
    package_limits,
    repackage_limits,
    shortest_chunk_s,
)
from podjobs.encoding.plan import write_recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts
from support.jobs import encoding_job

SETTINGS = EncodingSettings(media_root="/media")
FACTOR = "PODJOBS_MAX_OUTPUT_FACTOR"
KEY = "videos/abc/talk.mp4"


def facts(*, duration_s=100.0, size_px=(1280, 720), audio=True):
    width_px, height_px = size_px
    return MediaFacts(
        format_name="mov,mp4,m4a,3gp,3g2,mj2",
        start_s=0,
        duration_s=duration_s,
        video=VideoFacts(
            index=0, codec="h264", width_px=width_px, height_px=height_px, frame_rate=25, start_s=0, frames=None
        ),
        audio=AudioFacts(index=1, codec="aac", sample_rate_hz=48000, channels=2, start_s=0) if audio else None,
    )


def recipe(known=None, chunk_s=8):
    made = write_recipe(encoding_job("job-1", 18, "/media/videos/abc/talk.mp4"), known or facts(), KEY, SETTINGS)
    return made.model_copy(update={"starts_s": place_boundaries(made.duration_s, chunk_s, ())})


def test_chunk_limits_follow_pixels_and_bit_rate():
    made = recipe()
    # encoded: 8 s × 25 × (640 × 360 + 1280 × 720) / 60 M = 3.84 s; decoded: 8 s × 25 × 921,600 / 100 M = 1.84 s
    # 60 + 20 × 5.68; 1 MiB + 4 × (3,000,000 / 8 + 65,536) × (8 + 1.5)
    assert chunk_limits(made, made.chunks[0], SETTINGS) == CommandLimits(174, 17_788_944, FACTOR)


def test_chunk_limits_of_a_later_chunk_allow_for_decoding_from_a_distant_key_frame():
    made = recipe(facts(duration_s=7200.0), chunk_s=60)
    middle, late = (chunk_limits(made, made.chunks[number], SETTINGS) for number in (1, 100))
    # the key frame may be 60 s or 600 s before: (540 × 25 × 921,600) / 100 M × 20
    assert late.cpu_s - middle.cpu_s == pytest.approx(2488, abs=1)
    assert late.file_bytes == middle.file_bytes


def test_chunk_limits_of_a_huge_picture_allow_for_decoding_it():
    """An 8K source and a ladder that ends at 1080 lines."""
    made = recipe(facts(size_px=(7680, 4320)))
    small = recipe()
    assert chunk_limits(made, made.chunks[0], SETTINGS).cpu_s > 8 * chunk_limits(small, small.chunks[0], SETTINGS).cpu_s


def test_chunk_limits_of_unknown_length_are_those_of_the_longest_media():
    made = recipe(facts(duration_s=None))
    limits = chunk_limits(made, made.chunks[0], SETTINGS)
    assert limits.file_bytes == 1_048_576 + 4 * (3_000_000 // 8 + 65_536) * 43_201.5


def test_audio_limits_follow_the_length_and_the_size_of_the_source():
    # 60 + 20 × (100 / 25 + 1 GB / 100 MB); 1 MiB + 4 × (320,000 / 8 + 65,536) × 101.5
    assert audio_limits(recipe(), 10**9, SETTINGS) == CommandLimits(340, 43_896_192, FACTOR, yields=True)


def test_audio_limits_of_a_small_file_of_unknown_length_are_small():
    # 47,500 bytes are at most 80 s of sound at the lowest rate: 60 + 20 × 80 / 25
    assert audio_limits(recipe(facts(duration_s=None)), 47_500, SETTINGS).cpu_s == 60 + 64 + 1


def test_package_limits_hold_what_its_chunks_and_its_sound_may_hold():
    made = recipe()
    for rendition in made.renditions:
        alone = made.model_copy(update={"renditions": (rendition,)})
        chunks_bytes = sum(chunk_limits(alone, chunk, SETTINGS).file_bytes for chunk in made.chunks)
        limits = package_limits(made, rendition, SETTINGS)
        assert chunks_bytes < limits.file_bytes < 1.5 * chunks_bytes
        assert limits.cpu_s == 60 + 14  # 100 / 150 × 20


@pytest.mark.parametrize(
    ("audio", "duration_s", "size_bytes", "cpu_s", "file_bytes"),
    [
        # 60 + 20 × 100 MB / 5 MB; 1 MiB + 200 MB
        (False, 100.0, 10**8, 460, 201_048_576),
        # + 20 × 43,200 / 25, as so many bytes may be that much sound; + 43,200 × 1.536 MB
        (True, 100.0, 10**8, 35_020, 66_556_248_576),
        # a small file that claims to be long: + 20 × 43,200 / 25; the sound may be as long
        (True, 1e9, 1000, 34_621, 66_356_250_576),
        (True, None, 4750, 67, 13_346_076),  # 8 s of sound: 60 + 20 × (0.001 + 0.32)
    ],
)
def test_repackage_limits_follow_the_size_and_the_longest_possible_sound(
    audio, duration_s, size_bytes, cpu_s, file_bytes
):
    known = facts(duration_s=duration_s, audio=audio)
    assert repackage_limits(known, size_bytes, SETTINGS) == CommandLimits(cpu_s, file_bytes)


@pytest.mark.parametrize(
    ("duration_s", "size_bytes", "expected_s"),
    [
        (43_200, 80_000, 8640),  # 1 + 4 chunks, instead of 720
        (43_200, 400_000_000, 2),  # shorter than any chunk
        (20, 400_000, 2),
        (20, 100, 20),
    ],
)
def test_shortest_chunk_of_a_small_file_is_long(duration_s, size_bytes, expected_s):
    assert shortest_chunk_s(duration_s, size_bytes, 2) == expected_s
