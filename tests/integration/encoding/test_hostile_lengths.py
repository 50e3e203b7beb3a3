"""Small files that claim to be, or are, very long: each costs seconds. It is refused, or encoded as long as it is."""

import contextlib
import time

import pytest

from podjobs.contract.errors import PermanentError
from podjobs.encoding.limits import LEAST_CHUNK_BYTES
from support.hostile import CLIP_S, TEN, claim_matroska, claim_mp4, jump_mp4, silence
from support.media import ffmpeg
from support.media_storages import POD_ROOT

SECONDS = 15
"""What such a file may cost, on a slow machine."""


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


@pytest.mark.parametrize(
    "length_s", [360_000, *(pytest.param(length_s, marks=pytest.mark.slow) for length_s in (1e9, 2e10))]
)
@pytest.mark.parametrize(("name", "make"), [("a.mkv", claim_matroska), ("a.mp4", claim_mp4)])
def test_source_that_claims_to_be_very_long_costs_seconds(workbench, name, make, length_s):
    make(workbench.folder / name, length_s)
    info = encode_or_refuse(workbench, name)
    assert info is None or info["duration"] == CLIP_S


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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", TEN)
def test_hostile_file_ends_and_its_cost_is_bounded(workbench, name):
    """Published or refused; silence of the accepted length costs a minute or two, everything else seconds."""
    TEN[name](workbench.folder / name)
    begun_s = time.monotonic()
    with contextlib.suppress(PermanentError):
        workbench.encode(name)
    assert time.monotonic() - begun_s < 240
