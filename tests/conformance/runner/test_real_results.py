"""What the real functions make for clients of the runner API is what their importers look for: rows h, n, p, q, r."""

import json

import pytest

from support.deployables import SETTINGS
from support.media import ffmpeg
from support.parts import running_functions
from support.processes import wait_for
from support.runner_stack import running_runner_stack, wait_until_ended
from support.speech import speak

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FETCHING = {"PODJOBS_FETCH_PRIVATE": '["127.0.0.0/8"]', "FFMPEG_PRESET": "ultrafast", "PODJOBS_ENCODING_SLOTS": "2"}
LIMIT_S = 300
MEDIAPACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<mediapackage xmlns="http://mediapackage.opencastproject.org" id="a1" start="2026-11-27T09:00:00Z">
  <media>
    <track type="presentation/source" id="t1"><mimetype>video/webm</mimetype><url>{presentation}</url></track>
    <track type="presenter/source" id="t2"><mimetype>video/webm</mimetype><url>{presenter}</url></track>
  </media>
</mediapackage>
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    media = folder / "stack" / "media"
    given = {
        name: SETTINGS[name] | {"MEDIA_ROOT": str(media)} for name in ("encoding", "transcription", "notification")
    }
    given["encoding"] |= FETCHING
    given["notification"] |= {"PODJOBS_RUNNER_HOLD_S": "1"}
    with running_functions(given, folder) as programs:
        urls = {f"PODJOBS_FUNCTION_URL_{name.upper()}": program.page for name, program in programs.items()}
        settings = urls | {"PODJOBS_CONCURRENCY_ENCODING": "2"}
        with running_runner_stack(folder / "stack", settings=settings) as running:
            yield running


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """A large picture, and somebody who speaks."""
    folder = tmp_path_factory.mktemp("talk")
    speech = speak(folder / "speech.wav", "Good morning and welcome to this course on the history of clocks.")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=10", "-i", speech, "-t", "3", folder / "talk.mp4")
    return (folder / "talk.mp4").read_bytes()


def add_video(pod, name, content):
    (pod.sources / name).write_bytes(content)
    return pod.add_video(len(pod.videos) + 1, name)


def test_encoding_is_imported_by_v4(stack, talk):
    four = stack.four
    cut = json.dumps({"start": "00:00:00", "end": "00:00:02", "initial_duration": "00:00:03"})
    task = four.request(add_video(four, "Cours d'été.mp4", talk), rendition=four.rendition(), cut=cut)
    wait_until_ended(four, task.video.number, LIMIT_S)
    assert task.video.is_ready, (task, task.video.error)
    assert sorted(task.video.renditions) == [360, 720, 1080]
    info = json.loads(task.video.files["info_video.json"])
    assert info["duration"] == 2
    assert "encoding.log" in task.video.files
    assert sum(name.endswith(".mp4") for name in task.video.files) == 2


def test_encoding_is_imported_by_v5(stack, talk):
    """Its dressing is named by URL."""
    five = stack.five
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", five.sources / "mark.png")
    dressing = {"watermark": f"{five.url}/media/mark.png", "watermark_position": "Haut droite", "watermark_opacity": 50}
    video = add_video(five, "talk.mp4", talk)
    five.request(video, dressing)
    wait_until_ended(five, video.number, LIMIT_S)
    assert video.is_ready, video.error
    assert sorted(video.renditions) == [360, 720, 1080]
    assert any(name.endswith("_0.png") for name in video.files)


def test_captions_are_imported_by_v4(stack, talk, tmp_path):
    four = stack.four
    (tmp_path / "talk.mp4").write_bytes(talk)
    ffmpeg("-i", tmp_path / "talk.mp4", "-vn", tmp_path / "audio_192k.mp3")
    video = add_video(four, "audio_192k.mp3", (tmp_path / "audio_192k.mp3").read_bytes())
    task = four.request(video, "transcription", language="en", duration=3, normalize=False, model_type="WHISPER")
    wait_for(
        lambda: any(name.endswith(".vtt") for name in video.files), LIMIT_S, lambda: f"{task} {four.received[-3:]}"
    )
    (captions,) = [content for name, content in video.files.items() if name.endswith(".vtt")]
    assert b"Good morning" in captions


def test_recording_is_imported_by_v4(stack, talk, tmp_path):
    four = stack.four
    (tmp_path / "talk.mp4").write_bytes(talk)
    for name in ("presentation", "presenter"):
        ffmpeg("-i", tmp_path / "talk.mp4", "-t", "2", "-s", "320x180", "-c:v", "libvpx", four.sources / f"{name}.webm")
    urls = {name: f"{four.url}/media/{name}.webm" for name in ("presentation", "presenter")}
    video = add_video(four, "recording.xml", MEDIAPACKAGE.format(**urls).encode())
    task = four.request(video, "studio", rendition=four.rendition())
    wait_until_ended(four, video.number, LIMIT_S)
    assert video.is_ready, (task, video.error)
    assert b"ftyp" in video.files["studio_base.mp4"][:12]


def test_source_that_is_not_there_is_a_clear_failure(stack, talk):
    four = stack.four
    video = add_video(four, "gone.mp4", talk)
    (four.sources / "gone.mp4").unlink()
    task = four.request(video)
    wait_until_ended(four, video.number, LIMIT_S)
    assert video.error.startswith("The video could not be encoded")
    assert "404" in task.script_output
