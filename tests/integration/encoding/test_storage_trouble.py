"""Sources that cannot be read for a while, through a gateway: no step takes that for a property of the source."""

import random

import pytest

from podjobs.backends.process import ProcessTools
from podjobs.contract.errors import OperatorNeededError, RetryableError, StepError
from podjobs.encoding.function import EncodingFunction
from support.gateway_storage import FaultyFetch, gateway_storage
from support.media import ffmpeg, make_video

TROUBLE = (OperatorNeededError("The credentials are refused."), RetryableError("The connection broke."))
MOMENTS = 5


@pytest.fixture
def source(workbench):
    """A talk with sound, subtitles and a cover, so that every kind of step finds something."""
    folder = workbench.folder
    captions, cover = folder / "captions.srt", folder / "cover.png"
    captions.write_text("1\n00:00:04,000 --> 00:00:05,000\nBonjour\n")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, cover)
    plain = make_video(folder / "plain.mp4", "-g", 25, "-c:v", "libx264", "-b:v", "4M", duration_s=10)
    inputs = ("-i", plain, "-i", captions, "-i", cover, "-map", 0, "-map", 1, "-map", 2)
    ffmpeg(*inputs, "-c", "copy", "-c:s", "mov_text", "-disposition:v:1", "attached_pic", folder / "talk.mp4")
    return "talk.mp4"


def perform(workbench, spec, fetch):
    """A step, in a process that has read nothing yet. Returns its reply, or its error."""
    with gateway_storage(workbench.function._storage._storage, fetch) as storage:
        function = EncodingFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, workbench.settings)
        workbench.run._functions = {"encoding": function}
        try:
            return workbench.run.perform_step(spec)
        except StepError as error:
            return error


@pytest.mark.slow
def test_step_with_trouble_at_any_moment_fails_for_it_or_does_what_it_does_without(workbench, source):
    run = workbench.start(workbench.job(source, cut_start=3, cut_end=9))
    plan = next(run.stages()).steps[0]
    expected = check(workbench, plan)
    specs = {spec.action: spec for stage in expected.stages for spec in stage.steps}
    check(workbench, specs["chunk"])
    check(workbench, specs["audio"])
    check(workbench, specs["subtitles"])


def check(workbench, spec):
    calm = FaultyFetch(workbench.root)
    expected = perform(workbench, spec, calm)
    assert not isinstance(expected, StepError), expected
    for fails_from in sorted(random.sample(range(calm.requests), min(calm.requests, MOMENTS))):
        for error in TROUBLE:
            found = perform(workbench, spec, FaultyFetch(workbench.root, error, fails_from))
            if isinstance(found, StepError):
                assert (type(found), found.detail) == (type(error), error.detail), (spec.action, fails_from)
            else:
                assert found == expected, (spec.action, fails_from)
    return expected
