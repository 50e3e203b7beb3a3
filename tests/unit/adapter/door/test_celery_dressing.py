"""Pod describes a dressing twice; both must agree, and a wrong one is the job's refusal."""

import pytest

from podjobs.contract.jobs import DressingRequest
from support.jobs import encoding_job


@pytest.mark.parametrize(
    ("dressing", "fragment", "reason"),
    [
        ({"position_orig": "middle"}, "", "position_orig: "),
        ({"opacity": 101}, "", "opacity: "),
        ({"opening_credits": "slug"}, "", "names opening_credits, but not opening_credits_video"),
        ({"watermark_path": "/etc/passwd"}, "", "outside Pod's media root"),
        ({"opening_credits_video": "../../etc/passwd"}, "", "outside Pod's media root"),
        ({}, ' -i "/etc/passwd"', "outside Pod's media root"),
        ({}, ' -i "a" ; rm -rf /', "not a list of -i"),
        ({}, " -f lavfi -i testsrc", "not a list of -i"),
        ({"watermark_path": "/media/files/a.png"}, ' -i "/media/files/b.png"', "names other files"),
        ({"watermark_path": "/media/files/a\0.png"}, "", "NUL character"),
        (None, ' -i "/media/files/b.png"', "json_dressing is empty"),
    ],
)
def test_read_dressing_that_cannot_be_meant_is_the_jobs_refusal(dressing, fragment, reason):
    """Not a dead letter: the job fails, and Pod is notified."""
    job = encoding_job(json_dressing=dressing, dressing_input=fragment)
    assert job.dressing is None
    assert reason in job.refusal.detail


@pytest.mark.parametrize("nothing", [None, {}, {"watermark_path": "", "opening_credits": "", "position_orig": None}])
def test_read_dressing_without_files_is_none(nothing):
    job = encoding_job(json_dressing=nothing)
    assert (job.dressing, job.refusal) == (None, None)


def test_read_dressing_credits_are_relative_to_the_media_root():
    job = encoding_job(json_dressing={"ending_credits": "s", "ending_credits_video": "videos/a.mp4", "opacity": 40})
    assert job.dressing == DressingRequest(ending="videos/a.mp4", opacity=0.4)
