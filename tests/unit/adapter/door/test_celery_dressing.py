"""Pod describes a dressing twice; both must agree, and a wrong one is the job's refusal."""

import pytest

from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.failure_sentences import tell_failure
from podjobs.contract.jobs import DressingRequest
from support.jobs import encoding_job


@pytest.mark.parametrize(
    ("dressing", "fragment", "reason", "part"),
    [
        ({"position_orig": "middle"}, "", "position_orig: ", "watermark"),
        ({"opacity": 101}, "", "opacity: ", "watermark"),
        ({"opacity": 101, "watermark_path": 7}, "", "watermark_path: ", "watermark"),
        ({"opening_credits": "slug"}, "", "names opening_credits, but not opening_credits_video", "opening_credits"),
        ({"ending_credits": "slug"}, "", "names ending_credits, but not ending_credits_video", "ending_credits"),
        ({"ending_credits_video": 7}, "", "ending_credits_video: ", "ending_credits"),
        ({"ending_credits_video": 7, "opacity": -1}, "", "ending_credits_video: ", "dressing"),
        ({"watermark_path": "/etc/passwd"}, "", "watermark_path: The path '/etc/passwd' is outside", "watermark"),
        ({"opening_credits_video": "../../etc/passwd"}, "", "outside Pod's media root", "opening_credits"),
        ({"ending_credits_video": "/etc/passwd"}, "", "ending_credits_video: The path", "ending_credits"),
        ({}, ' -i "/etc/passwd"', "outside Pod's media root", "dressing"),
        ({}, ' -i "a" ; rm -rf /', "not a list of -i", "dressing"),
        ({}, " -f lavfi -i testsrc", "not a list of -i", "dressing"),
        ({"watermark_path": "/media/files/a.png"}, ' -i "/media/files/b.png"', "names other files", "dressing"),
        ({"watermark_path": "/media/files/a\0.png"}, "", "NUL character", "watermark"),
        (None, ' -i "/media/files/b.png"', "json_dressing is empty", "dressing"),
    ],
)
def test_read_dressing_that_cannot_be_meant_is_the_jobs_refusal(dressing, fragment, reason, part):
    """Not a dead letter: the job fails, and Pod is notified; its users are told which part of the dressing it is."""
    job = encoding_job(json_dressing=dressing, dressing_input=fragment)
    assert job.dressing is None
    assert reason in job.refusal.detail
    assert job.refusal.kind == part


@pytest.mark.parametrize("not_an_object", ["slug", ["slug"], 7, True])
def test_read_dressing_that_is_no_object_is_a_fault_of_the_dressing(not_an_object):
    refusal = encoding_job(json_dressing=not_an_object).refusal
    assert refusal.detail.startswith("The task's arguments are not valid: json_dressing: ")
    assert refusal.kind == FailureKind.DRESSING
    assert tell_failure(refusal, "encoding", "en") == (
        "The video could not be encoded: the watermark or the credits of the chosen dressing cannot be used. Choose "
        "another dressing, or have this one corrected."
    )


def test_arguments_that_are_wrong_beside_the_dressing_are_a_fault_of_the_site():
    assert encoding_job(json_dressing="slug", cut_start="soon").refusal.kind == ""


def test_people_are_told_which_part_of_the_dressing_is_wrong():
    refusal = encoding_job(json_dressing={"ending_credits": "slug"}).refusal
    assert tell_failure(refusal, "encoding", "fr") == (
        "La vidéo n'a pas pu être encodée\N{NO-BREAK SPACE}: le générique de fin de l'habillage choisi est "
        "inutilisable. Choisissez un autre habillage, ou faites corriger le générique de fin de celui-ci."
    )


@pytest.mark.parametrize("nothing", [None, {}, {"watermark_path": "", "opening_credits": "", "position_orig": None}])
def test_read_dressing_without_files_is_none(nothing):
    job = encoding_job(json_dressing=nothing)
    assert (job.dressing, job.refusal) == (None, None)


def test_read_dressing_credits_are_relative_to_the_media_root():
    job = encoding_job(json_dressing={"ending_credits": "s", "ending_credits_video": "videos/a.mp4", "opacity": 40})
    assert job.dressing == DressingRequest(ending="videos/a.mp4", opacity=0.4)
