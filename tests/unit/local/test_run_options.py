"""What `scripts/run` takes: what contradicts itself is refused before anything is started."""

import pytest
from click.testing import CliRunner

from local.__main__ import local
from local.runner_client import as_clock, list_by_kind


def said(*arguments):
    ended = CliRunner().invoke(local, ["run", *arguments])
    return ended.exit_code, " ".join(ended.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--studio",), "--studio takes one or two files"),
        (("--studio", "a.webm", "b.webm", "c.webm"), "--studio takes one or two files"),
        (("--studio", "a.webm", "--cut", "1", "2"), "say --start and --end in place of --cut"),
        (("--studio", "a.webm", "--transcribe", "en"), "--transcribe is not possible"),
        (("--studio", "a.webm", "--door", "runner"), "--studio is not possible with --door runner"),
        (("--studio", "a.webm", "--start", "5", "--end", "5"), "From 5 s to 5 s nothing is left"),
        (("--studio", "a.webm", "--start", "-1"), "-1"),
        (("--studio", "a.webm", "--layout", "pip"), "'pip' is not one of 'mid', 'pipb', 'piph', 'alone'"),
        (("a.webm", "b.webm"), "Name one VIDEO, or say --studio"),
        (("a.webm", "--start", "5"), "--start and --end are for --studio"),
    ],
)
def test_run_with_options_that_contradict_one_another_is_a_usage_error(arguments, reason):
    code, output = said(*arguments)
    assert (code, reason in output) == (2, True), output


@pytest.mark.parametrize("missing", [("presentation.webm", "absent.webm"), ("absent.webm",)])
def test_run_studio_names_the_source_that_is_not_there(missing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "presentation.webm").touch()
    code, output = said("--studio", *missing)
    assert code == 1
    assert "The video 'absent.webm' does not exist." in output
    assert [path.name for path in tmp_path.iterdir()] == ["presentation.webm"]


@pytest.mark.parametrize(("time_s", "text"), [(0, "00:00:00"), (3.5, "00:00:03.500"), (3661, "01:01:01")])
def test_as_clock_writes_times_as_pod_does(time_s, text):
    assert as_clock(time_s) == text


def test_list_by_kind_names_what_the_page_plays():
    """As the description in Pod's shared folder does, which is left as it is."""
    videos = [("video/mp2t", "360p_a.m3u8"), ("video/mp4", "360p_a.mp4")]
    info = {
        "encode_video": [{"encoding_format": kind, "rendition": "640x360", "filename": name} for kind, name in videos],
        "encode_audio": [{"encoding_format": "audio/mp3", "filename": "audio_192k_a.mp3"}],
        "encode_thumbnail": [{"filename": "a_0.png"}],
    }
    listed = list_by_kind(info)
    assert listed["list_hls_files"] == {"640x360": "360p_a.m3u8"}
    assert listed["list_mp4_files"] == {"640x360": "360p_a.mp4"}
    assert listed["list_mp3_files"] == {"audio_192k_a.mp3": "audio_192k_a.mp3"}
    assert listed["list_thumbnail_files"] == {"0": "a_0.png"}
    assert listed["list_m4a_files"] == listed["list_overview_files"] == {}
    assert list_by_kind({"list_mp4_files": {}}) == {"list_mp4_files": {}}
