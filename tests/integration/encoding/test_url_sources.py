"""Sources that ffmpeg reads by a secret URL, as it does from object storage: all works, and the secret stays one."""

import json
from pathlib import Path

import pytest

from podjobs.backends.process import ProcessTools
from podjobs.contract.errors import PermanentError, Problem
from podjobs.encoding.function import EncodingFunction
from support.media import ffmpeg, make_video, packets
from support.media_storages import POD_ROOT
from support.url_storage import url_storage


@pytest.fixture
def url_workbench(workbench):
    """A workbench whose media are served over HTTP."""
    with url_storage(workbench.root, workbench.function._storage._storage) as storage:
        workbench.function = EncodingFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, workbench.settings)
        yield workbench


def make_subtitled(path):
    captions = path.with_suffix(".srt")
    captions.write_text("1\n00:00:01,000 --> 00:00:02,000\nBonjour\n")
    plain = make_video(path.with_suffix(".plain.mp4"), duration_s=6)
    ffmpeg("-i", plain, "-i", captions, "-map", "0", "-map", "1", "-c", "copy", "-c:s", "srt", path)


def test_encode_everything_by_url_is_as_from_a_folder(url_workbench):
    """Watermark, credits and subtitles, too."""
    files = url_workbench.root / "files"
    files.mkdir()
    make_subtitled(url_workbench.folder / "a talk?.mkv")
    make_video(url_workbench.root / "videos" / "opening.mp4", duration_s=1)
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, files / "logo.png")
    dressing = {"watermark_path": f"{POD_ROOT}/files/logo.png", "opacity": 100, "position_orig": "top_right"}
    dressing |= {"opening_credits": "a-slug", "opening_credits_video": "videos/opening.mp4"}
    inputs = f' -i "{POD_ROOT}/files/logo.png" -i "{POD_ROOT}/videos/opening.mp4"'
    info = url_workbench.encode("a talk?.mkv", json_dressing=dressing, dressing_input=inputs)
    assert len(packets(url_workbench.output / "180p.mp4")) == 7 * 25
    assert (url_workbench.output / "subtitle_und.vtt").exists()
    assert info["duration"] == 7
    assert not (url_workbench.root / "work").exists()
    published = json.dumps(
        [info, url_workbench.run.log, url_workbench.run.shared, list(url_workbench.run.results.values())]
    )
    assert "5EcReT" not in published
    assert "http" not in published


@pytest.mark.slow
def test_encode_repackaged_by_url_is_as_from_a_folder(url_workbench):
    make_video(url_workbench.folder / "talk.ts", "-f", "mpegts", duration_s=4)
    url_workbench.encode("talk.ts")
    assert len(packets(url_workbench.output / "180p.mp4")) == 100


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a video at all" * 1000, "is not a media file that can be read"),
        (b"", "is empty"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n", "is not accepted. Accepted formats"),
    ],
)
def test_plan_bad_source_by_url_is_named_as_pod_knows_it(url_workbench, content, said):
    (url_workbench.folder / "bad.mp4").write_bytes(content)
    run = url_workbench.start(url_workbench.job("bad.mp4"))
    with pytest.raises(PermanentError) as refused:
        run.perform(next(run.stages()))
    assert f"{POD_ROOT}/videos/abc/bad.mp4" in refused.value.detail
    assert said in refused.value.detail
    assert "http" not in refused.value.detail
    assert "5EcReT" not in Problem.of(refused.value).model_dump_json()


def test_chunk_source_by_url_opens_no_local_file(url_workbench):
    """What is read by URL may read nothing here: the protocol `file` is not allowed then."""
    seen = []
    tools = url_workbench.function._tools
    run = tools.run
    tools.run = lambda argv, **options: (seen.append(argv), run(argv, **options))[1]
    make_video(url_workbench.folder / "talk.mp4", duration_s=2)
    url_workbench.encode("talk.mp4")
    reads = [argv for argv in seen if any("X-Amz-Signature" in word for word in argv)]
    assert {Path(argv[0]).name for argv in reads} == {"ffmpeg", "ffprobe"}
    for argv in reads:
        allowed = [argv[position + 1] for position, word in enumerate(argv) if word == "-protocol_whitelist"]
        assert set(allowed) <= {"http,tcp"}
