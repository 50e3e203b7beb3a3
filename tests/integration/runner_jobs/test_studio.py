"""A recording is given by the URL of its mediapackage; it is composed, and what was composed is encoded."""

import pytest

from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import EncodingJob, RenditionRequest
from podjobs.contract.plans import Plan
from support.studio_results import Recording
from support.studio_sources import CAMERA, SCREEN, record

PACKAGE = """<mediapackage xmlns="http://mediapackage.opencastproject.org" presenter="mid"><media>{}</media>
<metadata>{}</metadata></mediapackage>"""
SMIL = b'<smil><body><par><video clipBegin="1s" clipEnd="3s"/></par></body></smil>'


@pytest.fixture(scope="session")
def takes(tmp_path_factory):
    return tmp_path_factory.mktemp("takes")


def mediapackage(bench, cutting="", **sources):
    """Offer a mediapackage that names these sources. Returns its URL."""
    tracks = "".join(f'<track type="{kind}/source"><url>{url}</url></track>' for kind, url in sources.items())
    catalog = f'<catalog type="smil/cutting"><url>{cutting}</url></catalog>' if cutting else ""
    return bench.web.put("/a1.xml", PACKAGE.format(tracks, catalog).encode())


@pytest.mark.slow
def test_recording_is_composed_and_encoded_as_one_job(bench, takes):
    screen, camera = bench.offer(record(takes, SCREEN)), bench.offer(record(takes, CAMERA))
    bench.web.put("/cutting.smil", SMIL)
    url = mediapackage(bench, cutting="cutting.smil", presentation=screen, presenter=camera)
    wanted = (RenditionRequest(resolution="320x180", mp4=True),)
    info = bench.perform(bench.studio_job(url, renditions=wanted))
    assert bench.names == {
        "studio_base.mp4", "info_video.json", "encoding.log", "audio_192k_studio_base.mp3",
        "180p_studio_base.mp4", "180p_studio_base.m3u8", "180p_studio_base.ts",
        "studio_base_0.png", "studio_base_1.png", "studio_base_2.png",
    }  # fmt: skip
    assert info["duration"] == 2
    recording = Recording(bench.result / "studio_base.mp4")
    width_px, height_px = recording.size_px
    # side by side, from 1 s on
    assert recording.colour_at(0.5, width_px * 0.25, height_px / 2) == "lime"
    assert recording.colour_at(0.5, width_px * 0.75, height_px / 2) == "magenta"
    assert isinstance(bench.run.job, EncodingJob)
    assert bench.left == {f"runner/{bench.run.job.id}/{name}" for name in ("checksums.json", "studio.log")}
    ids = [step.step_id for step in bench.steps]
    assert len(ids) == len(set(ids)), "ids are unique within a job"

    # a late step that composed does not disturb what was encoded
    late = bench.repeat_id("compose-publish")
    assert isinstance(late, Plan)
    assert late.stages[0].steps[0].id == "plan"
    assert "info_video.json" in bench.names


def test_source_on_another_host_is_not_fetched(bench, takes):
    screen = bench.offer(record(takes, SCREEN)).replace("127.0.0.1", "localhost")
    error = bench.fail(bench.studio_job(mediapackage(bench, presentation=screen)))
    assert "not on its own host" in error.detail
    assert bench.names == set()


def test_mediapackage_that_names_nothing_is_told(bench):
    error = bench.fail(bench.studio_job(mediapackage(bench)))
    assert error.kind == FailureKind.NO_MEDIA
    assert bench.left == {f"runner/{bench.run.job.id}/studio.log"}


def test_source_of_a_recording_that_is_gone_is_told(bench):
    error = bench.fail(bench.studio_job(mediapackage(bench, presenter=bench.web.url("/gone.webm"))))
    assert error.kind == FailureKind.SOURCE_GONE
