"""What comes out is what went in: every frame, its time, its sound; at the joins of chunks and at both ends.

Every frame of a source carries its number, and a chirp begins with every 24th one, so that each frame and each sound of
a result can be found in its source. See support/fidelity.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from local.page import application, write_page
from podjobs.encoding.settings import EncodingSettings
from support.fidelity.browser import missing_programs, open_browser, play
from support.fidelity.checks import (
    Shown,
    check_file,
    check_mp4_order,
    check_segments,
    first_decoding_s,
    joined,
    shown_of,
)
from support.fidelity.clips import CLIPS, Clip, make_clip
from support.fidelity.marks import read_frames
from support.media_storages import POD_ROOT
from support.serving import serving
from support.vmaf import vmaf_of_frames
from support.workbench import SMALL_LADDER, Workbench

CUT_S = (3.3, 17.06)
WHOLE = {"podjobs_chunk_min_s": 3600, "podjobs_chunk_max_s": 3600}
"""Settings with which every clip is one chunk."""
JOIN_S = 0.25
"""How much on either side of a join is looked at."""
MAX_JOIN_LOSS = 1.0
"""VMAF that the pictures at a join may be worse than the same ones encoded in one piece."""
MAX_CHUNK_LOSS = 0.3
"""VMAF that an encode in chunks may be worse than one in one piece."""


@dataclass(frozen=True)
class Case:
    """A job and its sources."""

    name: str
    clip: Clip
    request: Mapping[str, Any] = field(default_factory=dict)
    credits: tuple[Clip, ...] = ()
    """Shown before and after."""
    reference: str | None = None
    """Filters that make of the source what a rendition shows, for VMAF; None where no filter can."""

    def __str__(self):
        return self.name


def cut(clip, start_s, end_s):
    request = {"cut_start": start_s, "cut_end": end_s}
    return Case(f"{clip.name}, cut", clip, request, reference=f"trim=start={start_s}:end={end_s}")


def dressed(clip, opening, ending):
    request = {
        "opening_credits": "opening",
        "opening_credits_video": f"files/{opening.name}",
        "ending_credits": "ending",
        "ending_credits_video": f"files/{ending.name}",
    }
    return Case(f"{clip.name}, credits", clip, {"json_dressing": request}, credits=(opening, ending))


CAMERA, SCREEN, BROWSER = (
    next(clip for clip in CLIPS if clip.name == name) for name in ("camera.mp4", "screen.mkv", "browser.webm")
)
CASES = [
    *(Case(clip.name, clip, reference=clip.reference) for clip in CLIPS),
    cut(CAMERA, *CUT_S),
    dressed(CAMERA, SCREEN, BROWSER),
]
SHORT_CAMERA, SHORT_SCREEN = (replace(clip, length_s=6, size="640x360") for clip in (CAMERA, SCREEN))
SAMPLE = [cut(SHORT_CAMERA, 0.7, 5.1), Case(SHORT_SCREEN.name, SHORT_SCREEN)]
QUICK = {"video_renditions": SMALL_LADDER, "ffmpeg_preset": "veryfast", "podjobs_chunk_min_s": 2}


@dataclass(frozen=True)
class Encode:
    """A case that was encoded."""

    case: Case
    source: Path
    bench: Workbench
    info: dict
    expected: Shown

    @property
    def largest(self):
        """The stream of the largest rendition."""
        return self.bench.output / f"{self.bench.recipe.renditions[-1].name}p.ts"


@pytest.fixture(scope="module")
def encode(tmp_path_factory):
    clips = tmp_path_factory.mktemp("clips")

    def encode_case(case, **settings):
        media = tmp_path_factory.mktemp("media")
        bench = Workbench(media, EncodingSettings(media_root=POD_ROOT, media_url=media.as_uri(), **settings))
        sources = [make_clip(clip, clips / f"{clip.length_s}s") for clip in (case.clip, *case.credits)]
        (bench.folder / case.clip.name).hardlink_to(sources[0])
        (media / "files").mkdir()
        for credit in sources[1:]:
            (media / "files" / credit.name).hardlink_to(credit)
        info = bench.encode(case.clip.name, **case.request)
        return Encode(case, sources[0], bench, info, expect(case, sources, bench.recipe))

    return encode_case


def expect(case, sources, recipe):
    """What the sources say must be shown."""
    cut_s = (case.request.get("cut_start", 0.0), case.request.get("cut_end", float("inf")))
    shown = shown_of(sources[0], case.clip.decimation, cut_s)
    if not case.credits:
        return shown
    opening, ending = (shown_of(file, clip.decimation) for file, clip in zip(sources[1:], case.credits, strict=True))
    return joined([(opening, recipe.offset_s), (shown, recipe.duration_s), (ending, 0.0)])


@pytest.fixture(scope="module", params=SAMPLE, ids=str)
def sample(request, encode):
    return encode(request.param, **QUICK)


@pytest.fixture(scope="module", params=CASES, ids=str)
def made(request, encode):
    return encode(request.param)


def faults_of(made):
    output = made.bench.output
    faults = []
    for file in sorted([*output.glob("*.mp4"), *output.glob("*.ts")]):
        faults += check_file(file, made.expected)
    for playlist in sorted(output.glob("*p.m3u8")):
        faults += check_segments(playlist)
    for file in output.glob("*.mp4"):
        faults += check_mp4_order(file)
    return faults


def check(made, least_chirps):
    assert len(made.bench.recipe.chunks) >= 2
    assert made.bench.recipe.generation == 0  # not once more in one piece, as the chunks did not verify
    assert len(made.expected.offsets_s) >= least_chirps
    assert faults_of(made) == []


@pytest.mark.slow
def test_encode_in_chunks_frames_and_sound_are_those_of_the_source(sample):
    check(sample, least_chirps=4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_encode_any_kind_of_source_frames_and_sound_are_those_of_the_source(made):
    check(made, least_chirps=10)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(missing_programs()), reason=f"{' and '.join(missing_programs())} not installed here")
def test_encode_result_plays_seeks_and_switches_in_chromium(made):
    """The frame numbers are read off the screen."""
    renditions = made.bench.recipe.renditions
    page = write_page("fidelity", made.info, "")
    with serving(application(page, made.bench.output)) as address, open_browser() as browser:
        heights_px = [rendition.height_px for rendition in renditions]
        faults = play(browser, address, read_frames(made.largest), first_decoding_s(made.largest), heights_px)
    assert faults == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("made", [case for case in CASES if case.reference is not None], ids=str, indirect=True)
def test_encode_in_chunks_pictures_are_as_good_as_in_one_piece(made, encode):
    """What a scene costs at a join is in both; at 60 and more frames a second chunks are better than one piece."""
    whole = encode(made.case, **WHOLE)
    assert len(whole.bench.recipe.chunks) == 1
    largest = made.bench.recipe.renditions[-1]
    prepare = f"{made.case.reference},scale={largest.width_px}:{largest.height_px}:flags=bicubic"
    frames = read_frames(made.largest)
    chunked, unbroken = (vmaf_of_frames(encoded.largest, made.source, prepare) for encoded in (made, whole))
    assert len(chunked) == len(unbroken) == len(frames)
    assert statistics.fmean(unbroken) - statistics.fmean(chunked) <= MAX_CHUNK_LOSS
    joins_s = [frames[0].time_s + chunk.start_s for chunk in made.bench.recipe.chunks[1:]]
    near = [place for place, frame in enumerate(frames) if min(abs(frame.time_s - at_s) for at_s in joins_s) < JOIN_S]
    assert statistics.fmean(unbroken[place] - chunked[place] for place in near) <= MAX_JOIN_LOSS
