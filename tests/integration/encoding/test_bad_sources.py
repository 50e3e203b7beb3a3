"""Sources that must be refused: with the reason, quickly, and touching nothing else."""

import http.server
import os
import threading
import time

import pytest

from podjobs.contract.errors import InvalidRequestError, NotNowError, PermanentError, RetryableError
from podjobs.contract.plans import StepSpec
from support.media import ffmpeg, make_video
from support.media_storages import POD_ROOT


def refuse(workbench, name, error=PermanentError):
    with pytest.raises(error) as refused:
        workbench.encode(name)
    assert not (workbench.root / "work").exists()
    return refused.value.detail


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "is empty (0 bytes)"),
        ("text.mp4", b"This is not a video at all.\n" * 100, "not a media file that can be read"),
        ("zeros.mp4", bytes(100_000), "not a media file that can be read"),
        ("head.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "not a media file that can be read"),
    ],
)
def test_plan_file_that_is_not_media_is_refused_with_the_reason(workbench, name, content, reason):
    (workbench.folder / name).write_bytes(content)
    detail = refuse(workbench, name)
    assert reason in detail
    assert f"{POD_ROOT}/videos/abc/{name}" in detail


def test_plan_truncated_mp4_is_refused_with_the_reason(workbench, tmp_path):
    make_video(tmp_path / "whole.mp4", duration_s=4)
    content = (tmp_path / "whole.mp4").read_bytes()
    (workbench.folder / "cut.mp4").write_bytes(content[: len(content) // 2])  # the index at the end is gone
    assert "moov atom not found" in refuse(workbench, "cut.mp4")


def test_plan_subtitle_file_has_neither_picture_nor_sound(workbench):
    (workbench.root / "s.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    ffmpeg("-i", workbench.root / "s.srt", workbench.folder / "subtitles.mkv")
    assert "neither a video nor an audio stream" in refuse(workbench, "subtitles.mkv")


@pytest.fixture
def web_server():
    """A local HTTP server that remembers what it was asked for."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()


def playlist(target):
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"


def concat_script(target):
    return f"ffconcat version 1.0\nfile '{target}'\n"


@pytest.mark.parametrize("write", [playlist, concat_script])
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "mkv"])
def test_plan_script_in_disguise_opens_nothing(workbench, web_server, write, suffix):
    """Neither a connection nor another file: the other file is a real video that would have been encoded."""
    url, requests = web_server
    secret = make_video(workbench.root / "secret.mp4", duration_s=2)
    for target in (f"{url}/x.ts", str(secret), f"file:{secret}"):
        (workbench.folder / f"evil.{suffix}").write_text(write(target))
        assert "not a media file" in refuse(workbench, f"evil.{suffix}") or "not accepted" in refuse(
            workbench, f"evil.{suffix}"
        )
    assert requests == []


def test_plan_link_out_of_the_media_root_is_refused(workbench, tmp_path):
    make_video(tmp_path / "outside.mp4", duration_s=2)
    (workbench.folder / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    assert "through a link" in refuse(workbench, "link.mp4", InvalidRequestError)


def test_plan_link_within_the_media_root_is_followed(workbench):
    make_video(workbench.root / "inside.mp4", duration_s=2)
    (workbench.folder / "link.mp4").symlink_to(workbench.root / "inside.mp4")
    assert workbench.encode("link.mp4")["duration"] == 2


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/../../../../etc/passwd"])
def test_plan_path_out_of_the_media_root_is_refused(workbench, name):
    assert "outside Pod's media root" in refuse(workbench, name, PermanentError)


def test_plan_folder_and_pipe_are_not_files(workbench):
    (workbench.folder / "folder.mp4").mkdir()
    os.mkfifo(workbench.folder / "pipe.mp4")
    for name in ("folder.mp4", "pipe.mp4"):
        assert "not a regular file" in refuse(workbench, name, InvalidRequestError)


def test_plan_missing_file_is_retryable(workbench):
    """A shared folder shows a new file late."""
    assert "is not there" in refuse(workbench, "missing.mp4", RetryableError)


def test_report_failure_leaves_the_reason_for_pod_and_no_work_files(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=2)
    run = workbench.start(workbench.job("talk.mp4"))
    run.perform(next(run.stages()))
    assert (workbench.root / "work" / run.job.id).is_dir()
    run.report_failure(PermanentError("The file is damaged."))
    assert "The file is damaged." in (workbench.output / "info_video.json").read_text()
    assert 0 <= time.time() - run.results["report"][1]["published_at"] < 60, "Pod must see it before it is told"
    assert not (workbench.root / "work").exists()


def test_report_failure_of_the_notification_leaves_what_was_published(workbench):
    """Pod may import it yet: the files are good."""
    make_video(workbench.folder / "talk.mp4", duration_s=2)
    run = workbench.start(workbench.job("talk.mp4")).run()
    published = (workbench.output / "info_video.json").read_text()
    run.report_failure(PermanentError("Pod shows nothing of it."))
    assert (workbench.output / "info_video.json").read_text() == published
    assert "published_at" not in run.results["report"][1], "Pod has seen it before"
    assert not (workbench.root / "work").exists()


def test_chunk_after_the_job_has_ended_leaves_no_files(workbench):
    """A late duplicate cannot revive a work folder that was removed."""
    make_video(workbench.folder / "talk.mp4", duration_s=4)
    run = workbench.start(workbench.job("talk.mp4"))
    stages = run.stages()
    run.perform(next(stages))
    chunk = next(spec for spec in next(stages).steps if spec.action == "chunk")
    run.perform_step(StepSpec(id="discard", function="encoding", action="discard"))
    with pytest.raises(RetryableError, match="has ended or was superseded"):
        run.perform_step(chunk)
    assert not (workbench.root / "work").exists()


def test_publish_repeated_at_any_point_ends_the_same(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=3)
    run = workbench.start(workbench.job("talk.mp4"))
    stages = run.stages()
    for _ in ("plan", "encode", "package"):
        run.perform(next(stages))
    publish = next(stages)
    # as if killed after the first file: one is in its place, the rest is not
    workbench.output.mkdir()
    (workbench.root / "work" / run.job.id / "package-180" / "180p.ts").rename(workbench.output / "180p.ts")
    run.perform(publish)
    before = {file.name: file.stat().st_mtime_ns for file in workbench.output.iterdir()}
    for _ in range(2):  # what Pod must show is known both times
        _, told = run.results["publish"]
        assert (told["duration_s"], list(told["heights_px"])) == (3, [180, 360])
        assert 0 <= time.time() - told["published_at"] < 600
        run.perform(publish)
    assert {file.name: file.stat().st_mtime_ns for file in workbench.output.iterdir()} == before


def test_encode_full_disk_asks_to_wait_and_goes_on_when_there_is_room(small_disk_workbench):
    workbench, filler = small_disk_workbench
    make_video(workbench.folder / "talk.mp4", duration_s=4)
    filler.write_bytes(b"")
    with pytest.raises(NotNowError, match="disk that holds the media is full"):
        workbench.encode("talk.mp4", before_stage=lambda name, _: fill(filler) if name == "encode" else None)
    filler.unlink()
    assert workbench.encode("talk.mp4")["duration"] == 4


def fill(path):
    with path.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
