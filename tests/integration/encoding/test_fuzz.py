"""Damaged files: every one ends done or failed with a reason, none hangs, none leaves half a result."""

import random

import pytest

from podjobs.contract.errors import StepError
from support.media import make_video

FORMATS = {
    "mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "+faststart"),
    "mkv": ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
    "ts": ("-c:v", "mpeg2video", "-q:v", "5", "-c:a", "mp2"),
    "avi": ("-c:v", "mpeg4", "-q:v", "5", "-c:a", "libmp3lame"),
}


@pytest.fixture(scope="session")
def whole_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return {
        name: make_video(folder / f"a.{name}", *coding, duration_s=3, size="160x90").read_bytes()
        for name, coding in FORMATS.items()
    }


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


@pytest.mark.parametrize("damage", [flip_bits, flip_header, truncate, swap, drop_a_hole], ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_file_ends_done_or_failed_with_a_reason(workbench, whole_files, kind, damage):
    check(workbench, f"a.{kind}", damage(whole_files[kind], random.Random(f"{kind}{damage.__name__}")))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_many_damaged_files_end_done_or_failed_with_a_reason(workbench, whole_files, seed):
    chance = random.Random(seed)
    kind = chance.choice(list(FORMATS))
    damage = chance.choice([flip_bits, flip_header, truncate, swap, drop_a_hole])
    check(workbench, f"a.{kind}", damage(whole_files[kind], chance))
