"""The result of an encoding, as clients of the runner API import it."""

import m3u8
import pytest

from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import RenditionRequest
from support.media import ffmpeg, probe

REQUESTED = (RenditionRequest(resolution="320x180", mp4=True), RenditionRequest(resolution="640x360", mp4=True))


def test_result_has_the_names_and_fields_that_clients_import(bench, talk):
    info = bench.perform(bench.encoding_job(bench.offer(talk)))
    assert bench.names == {
        "info_video.json", "encoding.log", "audio_192k_my_talk.mp3",
        "180p_my_talk.mp4", "180p_my_talk.m3u8", "180p_my_talk.ts", "360p_my_talk.m3u8", "360p_my_talk.ts",
        "my_talk_0.png", "my_talk_1.png", "my_talk_2.png",
    }  # fmt: skip
    expected = {
        "duration": 5,
        "has_stream_video": True,
        "has_stream_audio": True,
        "has_stream_thumbnail": True,
        "encode_video": [
            {"encoding_format": "video/mp2t", "rendition": "320x180", "filename": "180p_my_talk.m3u8"},
            {"encoding_format": "video/mp4", "rendition": "320x180", "filename": "180p_my_talk.mp4"},
            {"encoding_format": "video/mp2t", "rendition": "640x360", "filename": "360p_my_talk.m3u8"},
        ],
        "encode_audio": [{"encoding_format": "audio/mp3", "filename": "audio_192k_my_talk.mp3"}],
        "encode_thumbnail": [{"filename": f"my_talk_{number}.png"} for number in range(3)],
    }
    assert {name: info[name] for name in expected} == expected
    bench.check_checksums()
    assert bench.left == {f"runner/{bench.run.job.id}/checksums.json"}  # neither the source nor work files

    playlist = bench.result / "360p_my_talk.m3u8"
    assert {segment.uri for segment in m3u8.load(str(playlist)).segments} == {"360p_my_talk.ts"}
    assert float(probe(playlist, "format=duration")["format"]["duration"]) == pytest.approx(5, abs=0.2)

    # the answer was lost: the step is repeated, and the source is gone
    names = bench.names
    assert bench.repeat("publish").values["heights_px"] == (180, 360)
    assert bench.names == names
    bench.check_checksums()


@pytest.mark.slow
def test_renditions_of_the_request_are_made_and_every_one_as_mp4_if_it_says_so(bench, talk):
    wanted = (*REQUESTED, RenditionRequest(resolution="854x480", mp4=True))
    info = bench.perform(bench.encoding_job(bench.offer(talk), renditions=wanted))
    mp4 = sorted(name for name in bench.names if name.endswith(".mp4"))
    assert mp4 == ["180p_my_talk.mp4", "360p_my_talk.mp4"]  # nothing is scaled up
    assert {one["rendition"] for one in info["encode_video"]} == {"320x180", "640x360"}
    stream = probe(bench.result / "360p_my_talk.mp4", "stream=codec_type,height")["streams"][0]
    assert (stream["codec_type"], stream["height"]) == ("video", 360)


@pytest.mark.slow
def test_sound_alone_is_offered_as_mp3_and_m4a(bench, tmp_path):
    sound = tmp_path / "talk.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=f=440", "-t", 3, sound)
    info = bench.perform(bench.encoding_job(bench.offer(sound)))
    assert bench.names == {"info_video.json", "encoding.log", "audio_192k_talk.mp3", "audio_192k_talk.m4a"}
    assert (info["has_stream_video"], info["has_stream_audio"], info["encode_video"]) == (False, True, [])
    assert {one["encoding_format"] for one in info["encode_audio"]} == {"audio/mp3", "video/mp4"}


@pytest.mark.slow
def test_dressing_is_fetched_and_applied(bench, talk, tmp_path):
    credit = tmp_path / "credit.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=640x360:r=25", "-t", 2, credit)
    mark = tmp_path / "mark.png"
    ffmpeg("-f", "lavfi", "-i", "color=white:s=64x64", "-frames:v", 1, mark)
    files = {"mark.png": bench.offer(mark), "credit.mp4": bench.offer(credit)}
    dressing = {"watermark": "mark.png", "opening": "credit.mp4"}
    info = bench.perform(bench.encoding_job(bench.offer(talk), fetch=files, dressing=dressing))
    assert info["duration"] == 7
    assert bench.left == {f"runner/{bench.run.job.id}/checksums.json"}


def test_dressing_that_is_gone_is_told_as_such(bench, talk):
    files = {"mark.png": bench.web.url("/gone.png")}
    job = bench.encoding_job(bench.offer(talk), fetch=files, dressing={"watermark": "mark.png"})
    error = bench.fail(job)
    assert error.kind == FailureKind.WATERMARK
    assert bench.left == set()


def test_source_that_is_gone_fails_the_job_and_nothing_is_left(bench):
    error = bench.fail(bench.encoding_job(bench.web.url("/gone.mp4")))
    assert error.kind == FailureKind.SOURCE_GONE
    assert "answers 404" in error.detail
    assert bench.info["error_encoding"] is True
    assert bench.left == set()
