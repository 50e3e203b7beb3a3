"""Small files that claim to be, or are, very long: each costs seconds. It is refused, or encoded as long as it is."""

import struct
import time

import pytest

from podjobs.contract.errors import PermanentError
from podjobs.encoding.limits import LEAST_CHUNK_BYTES
from support.media import ffmpeg
from support.media_storages import POD_ROOT

CLIP = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi", "-i", "sine=r=16000", "-t", 2, "-c:v", "libx264")
CLIP += ("-preset", "ultrafast", "-c:a", "aac", "-b:a", "32k")
SECONDS = 15
"""What such a file may cost, on a slow machine."""


def claim_matroska(path, length_s):
    """Make a clip of two seconds whose header claims any length."""
    ffmpeg(*CLIP, path)
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # Duration, 8 bytes, in milliseconds
    path.write_bytes(data[:at] + struct.pack(">d", length_s * 1000) + data[at + 8 :])


def claim_mp4(path, length_s):
    """The same in the headers of the movie, its tracks and its edit lists; the tables of the samples are true."""
    ffmpeg(*CLIP, path)
    data = bytearray(path.read_bytes())
    claimed = min(int(length_s * 1000), 0xFFFFFFFE)
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"elst", 12)):
        at = data.find(box)
        while at >= 0:
            data[at + offset : at + offset + 4] = struct.pack(">I", claimed)
            at = data.find(box, at + 4)
    path.write_bytes(data)


def jump_mp4(path, length_s):
    """A fragmented MP4 whose second fragment begins that much later, by its own clock."""
    ffmpeg(*CLIP, "-g", 25, "-movflags", "frag_keyframe+empty_moov", path)
    data = bytearray(path.read_bytes())
    at, seen = data.find(b"tfdt"), 0
    while at >= 0:
        seen += 1
        if seen > 2:  # the first of each track stay
            version, ticks = data[at + 4], int(length_s * 12800)
            size = 8 if version else 4
            data[at + 8 : at + 8 + size] = min(ticks, 256**size - 1).to_bytes(size, "big")
        at = data.find(b"tfdt", at + 4)
    path.write_bytes(data)


def silence(path, length_s, *, stated=True):
    """Digital silence, a few bytes for eight seconds."""
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", length_s, "-c:a", "flac", path)
    if not stated:
        data = bytearray(path.read_bytes())
        data[21] &= 0xF0  # the number of samples in STREAMINFO: 36 bits
        data[22:26] = bytes(4)
        path.write_bytes(data)


def encode_or_refuse(workbench, name, **request):
    """Encode a file in seconds; returns what is in info_video.json, None if it was refused as too long."""
    begun_s = time.monotonic()
    try:
        return workbench.encode(name, **request)
    except PermanentError as error:
        assert "at most 12 h are accepted" in error.detail  # noqa: PT017 - either is right
        assert "PODJOBS_MAX_DURATION_S" in error.detail  # noqa: PT017
        return None
    finally:
        assert time.monotonic() - begun_s < SECONDS


@pytest.mark.parametrize("length_s", [360_000, 1e9, 2e10])
@pytest.mark.parametrize(("name", "make"), [("a.mkv", claim_matroska), ("a.mp4", claim_mp4)])
def test_source_that_claims_to_be_very_long_costs_seconds(workbench, name, make, length_s):
    make(workbench.folder / name, length_s)
    info = encode_or_refuse(workbench, name)
    assert info is None or info["duration"] == 2


def test_source_that_claims_to_be_very_long_is_not_planned_by_its_claim(workbench):
    """Nor is what is left of it after a cut: a cut that is short is encoded."""
    claim_matroska(workbench.folder / "a.mkv", 1e9)
    info = encode_or_refuse(workbench, "a.mkv", cut_start=0, cut_end=1)
    assert info is not None


def test_source_that_claims_as_much_as_is_accepted_gets_as_many_steps_as_its_bytes_justify(workbench):
    claim_matroska(workbench.folder / "a.mkv", 40_000)
    run = workbench.start(workbench.job("a.mkv"))
    stages = run.stages()
    run.perform(next(stages))
    chunks = [step for step in next(stages).steps if step.action == "chunk"]
    assert len(chunks) <= 1 + (workbench.folder / "a.mkv").stat().st_size // LEAST_CHUNK_BYTES


def test_fragments_that_jump_by_hours_cost_seconds(workbench):
    jump_mp4(workbench.folder / "a.mp4", 47_000)
    encode_or_refuse(workbench, "a.mp4")


def test_sound_longer_than_accepted_is_refused_by_its_header(workbench):
    silence(workbench.folder / "a.flac", 13 * 3600)
    assert encode_or_refuse(workbench, "a.flac") is None


def impatient(workbench, longest_s):
    workbench.settings = workbench.settings.model_copy(update={"podjobs_max_duration_s": longest_s})
    workbench.__post_init__()


def test_sound_of_unknown_length_ends_when_it_turns_out_to_be_longer_than_accepted(workbench):
    impatient(workbench, 60)
    silence(workbench.folder / "a.flac", 3600, stated=False)
    begun_s = time.monotonic()
    with pytest.raises(PermanentError, match="PODJOBS_MAX_DURATION_S"):
        workbench.encode("a.flac")
    assert time.monotonic() - begun_s < SECONDS
    assert not list(workbench.root.glob("work/**/*.mp3"))


def test_picture_of_unknown_length_ends_when_it_turns_out_to_be_longer_than_accepted(workbench):
    impatient(workbench, 60)
    path = workbench.folder / "live.mkv"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x64:r=2", "-t", 300, "-c:v", "libx264", "-f", "matroska", "-live", 1, path
    )
    with pytest.raises(PermanentError, match="PODJOBS_MAX_DURATION_S"):
        workbench.encode("live.mkv")


def test_credits_that_make_the_video_too_long_are_refused(workbench):
    impatient(workbench, 60)
    claim_matroska(workbench.folder / "talk.mkv", 2)
    ffmpeg("-f", "lavfi", "-i", "color=s=64x64:r=2", "-t", 300, workbench.folder / "credits.mkv")
    video = "videos/abc/credits.mkv"
    dressing = {"ending_credits": "a-slug", "ending_credits_video": video, "position_orig": "top_left", "opacity": 1}
    with pytest.raises(PermanentError, match=r"talk.mkv with its credits' is 0.1 h long.*PODJOBS_MAX_DURATION_S"):
        workbench.encode("talk.mkv", json_dressing=dressing, dressing_input=f' -i "{POD_ROOT}/{video}"')
