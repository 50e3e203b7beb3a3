"""Damaged files: every one ends done or failed with a reason, none hangs, none leaves half a result."""

import random
import re
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from podjobs.contract.errors import StepError
from support.media import make_video

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
FORMATS = {
    "mp4": ("a.mp4", *X264, "-movflags", "+faststart"),
    "mkv": ("a.mkv", *X264),
    "webm": ("a.webm", *VP8),
    "ts": ("a.ts", "-c:v", "mpeg2video", "-q:v", "5", "-c:a", "mp2"),
    "avi": ("a.avi", "-c:v", "mpeg4", "-q:v", "5", "-c:a", "libmp3lame"),
}
"""Name of the file, and options of ffmpeg."""
MORE_FORMATS = {
    "fragmented mp4": ("a.mp4", *X264, "-movflags", "+frag_keyframe+empty_moov"),
    "mov": ("a.mov", *X264, "-c:a", "pcm_s16le"),
    "live webm": ("a.webm", *VP8, "-live", "1"),
    "mts": ("a.mts", *X264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1"),
    "mpg": ("a.mpg", "-c:v", "mpeg2video", "-q:v", "5", "-c:a", "mp2"),
    "flv": ("a.flv", *X264, "-c:a", "aac"),
    "wmv": ("a.wmv", "-c:v", "wmv2", "-q:v", "5", "-c:a", "wmav2"),
    "ogg": ("a.ogv", "-c:v", "libtheora", "-q:v", "5", "-c:a", "libvorbis"),
    "wav": ("a.wav", "-vn"),
    "mp3": ("a.mp3", "-vn"),
    "flac": ("a.flac", "-vn"),
    "m4a": ("a.m4a", "-vn"),
    "aac": ("a.aac", "-vn"),
}
ALL_FORMATS = FORMATS | MORE_FORMATS
LONGEST_S = 30
LARGEST_BYTES = 1 << 30
EXTREME = (bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1")


@pytest.fixture(scope="session")
def whole_file(tmp_path_factory):
    """A function that gives the bytes of an undamaged file of a format."""
    folder = tmp_path_factory.mktemp("whole")

    @cache
    def whole(kind):
        name, *coding = ALL_FORMATS[kind]
        return make_video(folder / f"{kind}-{name}", *coding, duration_s=3, size="160x90").read_bytes()

    return whole


def flip_bits(data, chance):
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 10, 200))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def flip_header(data, chance):
    damaged = bytearray(data)
    for _ in range(20):
        damaged[chance.randrange(min(4000, len(damaged)))] = chance.randrange(256)
    return bytes(damaged)


def truncate(data, chance):
    return data[: chance.randrange(1, len(data))]


def swap(data, chance):
    first, second, third = sorted(chance.randrange(len(data)) for _ in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def drop_a_hole(data, chance):
    start = chance.randrange(len(data))
    return data[:start] + bytes(min(len(data) - start, chance.randrange(1, 20_000))) + data[start + 20_000 :]


def set_numbers(data, chance):
    """Lengths, counts and times that are none, or as large as can be; most of them stand at the beginning."""
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 4))):
        place = chance.randrange(min(chance.choice((2000, len(data))), len(data)))
        damaged[place : place + 4] = chance.choice(EXTREME)
    return bytes(damaged)


def repeat_a_part(data, chance):
    first, second = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:second] + data[first:]


DAMAGES = [flip_bits, flip_header, truncate, swap, drop_a_hole]
MORE_DAMAGES = [set_numbers, repeat_a_part]


def check(workbench, name, data):
    (workbench.folder / name).write_bytes(data)
    info, reason = attempt(workbench, name)
    assert not list(workbench.root.rglob(".writing-*"))
    if info is None:
        assert reason.endswith((".", ")", '"'))
        assert len(reason) < 3000
        assert not workbench.output.exists()
        return
    assert info["list_hls_files"] or info["list_m4a_files"]
    for listed in info["list_hls_files"].values():
        assert (workbench.output / listed.rpartition("/")[2]).is_file()


def attempt(workbench, name):
    """The content of info_video.json, or the reason why there is none."""
    try:
        return workbench.encode(name), ""
    except StepError as error:
        return None, error.detail


@contextmanager
def watching():
    """Fail if what happens inside the block takes too long, or too much of this process's memory."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    begun_s, before_bytes = time.monotonic(), memory_bytes("VmRSS")
    yield
    assert time.monotonic() - begun_s <= LONGEST_S
    # what other tests have left in this process is no matter of this one
    assert memory_bytes("VmHWM") - before_bytes <= LARGEST_BYTES


def memory_bytes(kind):
    return int(re.search(rf"{kind}:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in {"mp4", "mkv"} else pytest.mark.slow) for kind in FORMATS]
)
def test_damaged_file_ends_done_or_failed_with_a_reason(workbench, whole_file, kind, damage):
    data = damage(whole_file(kind), random.Random(f"{kind}{damage.__name__}"))
    with watching():
        check(workbench, ALL_FORMATS[kind][0], data)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2000))
def test_many_damaged_files_end_done_or_failed_with_a_reason(workbench, whole_file, seed):
    chance = random.Random(seed)
    kind = list(ALL_FORMATS)[seed % len(ALL_FORMATS)]
    data = chance.choice([*DAMAGES, *MORE_DAMAGES])(whole_file(kind), chance)
    with watching():
        check(workbench, ALL_FORMATS[kind][0], data)
