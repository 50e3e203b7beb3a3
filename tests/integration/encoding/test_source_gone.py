"""A video that Pod moves or deletes while it is encoded: steps notice it soon, and nothing is left at a wrong place."""

import json
import shutil
import threading

import pytest

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import InvalidRequestError, PermanentError, SourceGoneError
from podjobs.contract.plans import StepSpec
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.settings import EncodingSettings
from podjobs.notification.locate import _take_along
from support.forward_only import ForwardOnlyStorage
from support.media import make_video
from support.media_storages import POD_ROOT
from support.workbench import SMALL_LADDER, Workbench


@pytest.fixture
def encoding(workbench):
    """A job with all its work done but the publishing."""
    make_video(workbench.folder / "talk.mp4", duration_s=1, size="320x180", sound=False)
    run = workbench.start(workbench.job("talk.mp4"))
    for stage in run.stages():
        if stage.name == "publish":
            return run, stage
        run.perform(stage)
    raise AssertionError


def step(run, action, **changes):
    return run.step(StepSpec(id=action, function="encoding", action=action), **changes)


def change_owner(workbench, run):
    """Move a video as Pod does; the job as it is afterwards."""
    target = workbench.root / "videos" / "def"
    target.mkdir()
    if workbench.output.exists():
        workbench.output.rename(target / "0007")
    (workbench.folder / "talk.mp4").rename(target / "talk.mp4")
    run.job = run.job.at("videos/def/talk.mp4")
    return target


@pytest.mark.parametrize("action", ["plan", "repackage", "chunk", "audio", "package", "images", "publish"])
def test_step_of_a_source_that_is_gone_says_so_before_it_does_anything(workbench, action):
    run = workbench.start(workbench.job("talk.mp4"))
    with pytest.raises(SourceGoneError, match=r"'.*/talk\.mp4' is not there"):
        workbench.function.handle(step(run, action))
    assert list(workbench.root.rglob("*")) == [workbench.root / "videos", workbench.folder]


@pytest.mark.slow
def test_chunk_whose_source_is_deleted_while_ffmpeg_has_it_open_stops_soon(workbench):
    """ffmpeg would go on for as long as it takes; how soon: see test_source_watch.py."""
    source = make_video(workbench.folder / "talk.mp4", duration_s=60, size="1280x720", sound=False)
    workbench.settings = workbench.settings.model_copy(update={"ffmpeg_preset": "veryslow", "podjobs_chunk_min_s": 60})
    workbench.__post_init__()
    run = workbench.start(workbench.job("talk.mp4"))
    plan = run.perform_step(next(run.stages()).steps[0])
    chunk = next(spec for spec in plan.stages[0].steps if spec.action == "chunk")
    timer = threading.Timer(1, source.unlink)
    timer.start()
    with pytest.raises(SourceGoneError):
        workbench.function.handle(run.step(chunk))
    assert not any(file.suffix == ".nut" for file in workbench.root.rglob("*"))


def test_failure_of_another_kind_stays_what_it_is_while_the_source_is_there(workbench):
    (workbench.folder / "talk.mp4").write_text("Not a video.")
    run = workbench.start(workbench.job("talk.mp4"))
    with pytest.raises(PermanentError, match="not a media file"):
        workbench.function.handle(step(run, "plan"))


def test_job_whose_video_is_moved_between_two_stages_is_published_at_the_new_place(workbench):
    """What is encoded already is kept."""
    make_video(workbench.folder / "talk.mp4", duration_s=1, size="320x180", sound=False)
    run = workbench.start(workbench.job("talk.mp4"))
    performed = []
    for stage in run.stages():
        performed += [spec.id for spec in stage.steps]
        run.perform(stage)
        if stage.name == "encode":
            target = change_owner(workbench, run)
    assert len(performed) == len(set(performed))
    info = json.loads((target / "0007/info_video.json").read_text())
    folder = f"{POD_ROOT}/videos/def"
    assert (info["video_file"], info["output_dir"]) == (f"{folder}/talk.mp4", f"{folder}/0007")
    assert info["list_mp4_files"] == {"180": f"{folder}/0007/180p.mp4"}
    assert (target / "0007/180p.mp4").exists()
    assert list(workbench.folder.iterdir()) == []
    assert not (workbench.root / "work").exists()


def test_publish_whose_source_goes_meanwhile_leaves_no_report_at_the_old_place(workbench, encoding):
    """Pod would import what is no longer there."""
    run, stage = encoding

    class MovedMeanwhile(ForwardOnlyStorage):
        """Pod moves the video when one of its files has been published."""

        def move(self, source, target):
            open_storage(workbench.settings).move(source, target)
            if target.endswith(".ts") and (workbench.folder / "talk.mp4").exists():
                change_owner(workbench, run)

    storage = MovedMeanwhile(open_storage(workbench.settings))
    workbench.function = EncodingFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, workbench.settings)
    (publish,), before = stage.steps, run.job
    with pytest.raises(SourceGoneError):
        workbench.function.handle(run.step(publish))
    assert not list(workbench.root.rglob("info_video.json"))
    # as whoever asks Pod where the video is does: other files were being moved at that moment
    _take_along(before, run.job, storage)
    workbench.function.handle(run.step(publish))
    published = {file.name for file in (workbench.root / "videos/def/0007").iterdir()}
    assert {"180p.ts", "180p.m3u8", "180p.mp4", "livestream.m3u8", "info_video.json"} <= published
    assert list(workbench.folder.iterdir()) == []


def test_withdraw_removes_what_a_deleted_video_s_job_has_left_and_nothing_else(workbench, encoding):
    run, stage = encoding
    run.perform(stage)
    (workbench.output / "notes.txt").write_text("somebody's own")
    (workbench.output / f".360p.ts.{'0' * 32}").write_text("what a killed step left")
    workbench.function.handle(step(run, "withdraw"))
    assert [file.name for file in workbench.output.iterdir() if not file.name.startswith(".")] == ["notes.txt"]
    (workbench.output / "notes.txt").unlink()
    workbench.function.handle(step(run, "withdraw"))
    assert not workbench.output.exists()
    assert not (workbench.root / "work").exists()


def test_withdraw_of_a_job_that_has_left_nothing_is_done(workbench):
    run = workbench.start(workbench.job("talk.mp4"))
    shutil.rmtree(workbench.folder)
    workbench.function.handle(step(run, "withdraw"))
    assert list((workbench.root / "videos").iterdir()) == []


def test_report_that_cannot_be_left_at_the_video_is_left_elsewhere_and_says_where(workbench, tmp_path):
    """Pod looks beside the path that it is notified with: it is told why, in any case."""
    (tmp_path / "elsewhere").mkdir()
    workbench.output.symlink_to(tmp_path / "elsewhere")
    make_video(workbench.folder / "talk.mp4", duration_s=1)
    run = workbench.start(workbench.job("talk.mp4"))
    run.report_failure(PermanentError("The file is damaged."))
    place = run.results["report"][1]["video_path"]
    assert run.results["report"][1]["published_at"] > 0
    assert place == f"{POD_ROOT}/temp/encoding_{run.job.id}/talk.mp4"
    report = json.loads((workbench.root / "temp" / f"encoding_{run.job.id}" / "0007/info_video.json").read_text())
    message = report["encoding_log"]["error"]["msg"]
    assert "The file is damaged. (Nothing can be left at the video: " in message
    assert "leads out of the media root through a link" in message
    assert (report["error_encoding"], report["list_mp4_files"]) == (True, {})
    assert list((tmp_path / "elsewhere").iterdir()) == []
    workbench.output.unlink()
    workbench.function.handle(step(run, "withdraw"))
    assert not (workbench.root / "temp" / f"encoding_{run.job.id}").exists()


def test_report_that_can_be_left_nowhere_fails_with_the_reason_at_the_video(workbench, tmp_path):
    workbench.output.symlink_to(tmp_path / "elsewhere")
    (workbench.root / "temp").write_text("in the way")
    run = workbench.start(workbench.job("talk.mp4"))
    with pytest.raises(InvalidRequestError, match="leads out of the media root through a link"):
        workbench.function.handle(step(run, "report"))


def test_job_behind_a_link_to_another_file_system_is_published_there(tmp_path, elsewhere):
    """As with media/videos -> /nfs/videos: the work folder lies on the media root's own disk."""
    media = tmp_path / "media"
    media.mkdir()
    (media / "videos").symlink_to(elsewhere)
    settings = {"media_root": POD_ROOT, "media_url": media.as_uri(), "video_renditions": SMALL_LADDER}
    workbench = Workbench(media, EncodingSettings(**settings, podjobs_media_links=(str(elsewhere),)))
    make_video(workbench.folder / "talk.mp4", duration_s=1, size="320x180")
    workbench.encode("talk.mp4")
    made = {file.name for file in (elsewhere / "abc/0007").iterdir()}
    assert {"180p.mp4", "180p.ts", "180p.m3u8", "livestream.m3u8", "audio_192k.mp3", "info_video.json"} <= made
    assert not any(name.startswith(".") for name in made)
    assert not (media / "work").exists()
