"""Text that is not what its container promises, and metadata without end.

The video is published, and the log says what is missing.
"""

import json
import subprocess
import time

import pytest
import webvtt

from podjobs.contract.bounds import STEP_BYTES, json_bytes
from podjobs.contract.plans import Plan
from podjobs.encoding.captions import CAPTION_CHARS
from podjobs.media.bounds import CHAPTERS, PICTURES
from support.media import ffmpeg, make_video

SLOW = pytest.mark.slow

MARK = "QXQXQXQ"
"""Stands in the source for bytes that ffmpeg would not write."""
CUES = 6


def srt(*texts):
    cue = "{0}\n00:00:00,{1:03d} --> 00:00:00,{2:03d}\n{3}\n\n"
    return "".join(cue.format(n, 300 * n, 300 * n + 250, text) for n, text in enumerate(texts))


@pytest.fixture
def plain(tmp_path):
    return make_video(tmp_path / "plain.mp4", duration_s=2, size="320x180")


@pytest.fixture
def subtitled(workbench, plain, tmp_path):
    """Makes a video with a subtitle stream for each list of texts, in which the mark is replaced by some bytes."""

    def make(name, codec, *streams, instead=b"", options=()):
        inputs, maps = [], []
        for number, texts in enumerate(streams, start=1):
            file = tmp_path / f"{number}.srt"
            file.write_text(srt(*texts), encoding="utf-8")
            inputs += ["-i", file]
            maps += ["-map", number]
        path = workbench.folder / name
        ffmpeg("-i", plain, *inputs, "-map", 0, *maps, "-c", "copy", "-c:s", codec, *options, path)
        data = path.read_bytes()
        # the containers know the length of a text
        assert len(instead) in {0, len(MARK)}
        if instead:
            assert MARK.encode() in data
            path.write_bytes(data.replace(MARK.encode(), instead))
        return name

    return make


def texts_of(workbench, name):
    return [caption.text for caption in webvtt.read(workbench.output / name)]


def log_of(info):
    return info["encoding_log"]["encoding"]["msg"]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mkv", "subrip"),
        pytest.param("a.mkv", "ass", marks=SLOW),
        pytest.param("a.mkv", "webvtt", marks=SLOW),
        ("a.mp4", "mov_text"),
        pytest.param("a.mov", "mov_text", marks=SLOW),
    ],
)
def test_encode_subtitles_in_latin_1_are_read_and_told(workbench, subtitled, name, codec):
    texts = [f"l'{MARK} numéro {number}" for number in range(1, CUES)]
    wanted = "\xe9t\xe9 \xe0 t"
    info = workbench.encode(subtitled(name, codec, texts, instead=wanted.encode("latin-1")))
    assert info["duration"] == 2
    # the rest of each line is UTF-8: a line is of one encoding
    expected = [text.encode().replace(MARK.encode(), wanted.encode("latin-1")).decode("cp1252") for text in texts]
    assert texts_of(workbench, "subtitle_und.vtt") == expected
    assert f"The subtitle stream 2 is not UTF-8: {CUES - 1} of its lines were read as Windows-1252." in log_of(info)


def test_encode_subtitles_bad_in_one_caption_only_keep_the_others(workbench, subtitled):
    texts = ["déjà", "plain", MARK, "讲座"]
    info = workbench.encode(subtitled("a.mkv", "subrip", texts, instead=b"\xe9t\xe9 bon"))
    assert texts_of(workbench, "subtitle_und.vtt") == ["déjà", "plain", "été bon", "讲座"]
    assert "1 of its lines were read as Windows-1252" in log_of(info)


def test_encode_subtitles_of_another_encoding_are_left_out_and_the_good_stream_stays(workbench, subtitled):
    """KOI8-R, beside a stream in UTF-8."""
    bad, good = [f"{MARK} {MARK}"] * CUES, ["Été"] * CUES
    options = ("-metadata:s:s:0", "language=rus", "-metadata:s:s:1", "language=fre")
    name = subtitled("a.mkv", "subrip", bad, good, instead="Добрый!".encode("koi8-r"), options=options)
    info = workbench.encode(name)
    assert [language for language, _ in info["list_subtitle_files"].values()] == ["fre"]
    assert [path.name for path in workbench.output.glob("*.vtt")] == ["subtitle_fre.vtt"]
    assert f"The subtitle stream 2 has {CUES} lines that are neither UTF-8 nor Windows-1252" in log_of(info)


NONSENSE = (b"\x81\x8d\x8f\x90\x9d\xff\xfe", bytes(7), b"\0\0\xe9\0\0\0\0", b"\xc3(\xa0\xa1{\\}")


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "subrip"), ("a.mkv", "ass"), ("a.mp4", "mov_text")])
def test_encode_subtitles_of_any_bytes_do_not_fail_the_video(workbench, subtitled, name, codec):
    streams = [[f"a {MARK[:-1]}{number} b"] * CUES for number in range(len(NONSENSE))]
    name = subtitled(name, codec, *streams, ["good"] * CUES)
    path = workbench.folder / name
    data = path.read_bytes()
    for number, nonsense in enumerate(NONSENSE):
        data = data.replace(f"{MARK[:-1]}{number}".encode(), nonsense)
    path.write_bytes(data)
    info = workbench.encode(name)
    assert (workbench.output / "180p.mp4").exists()
    good = list(info["list_subtitle_files"].values())[-1][1]
    assert texts_of(workbench, good.rpartition("/")[2]) == ["good"] * CUES


@pytest.mark.slow
def test_encode_language_of_300_characters_is_undetermined(workbench, subtitled):
    options = [word for n in (0, 1) for word in (f"-metadata:s:s:{n}", f"language={'x' * 300}{n}")]
    info = workbench.encode(subtitled("a.mkv", "subrip", ["first"] * 2, ["second"] * 2, options=options))
    assert [language for language, _ in info["list_subtitle_files"].values()] == ["und", "und"]
    assert {path.name for path in workbench.output.glob("*.vtt")} == {"subtitle_und.vtt", "subtitle_und_3.vtt"}
    assert "is no language tag: it is taken as undetermined" in log_of(info)


def test_encode_huge_captions_are_cut(workbench, subtitled):
    info = workbench.encode(subtitled("a.mkv", "copy", ["x" * 200_000, "second"]))
    assert [len(text) for text in texts_of(workbench, "subtitle_und.vtt")] == [CAPTION_CHARS, 6]
    assert f"The subtitle stream 2 has 1 captions of more than {CAPTION_CHARS} characters" in log_of(info)


@pytest.mark.slow
def test_encode_megabytes_of_captions_the_first_are_kept(workbench, subtitled):
    info = workbench.encode(subtitled("a.mkv", "copy", ["first"] * 2, ["x" * 10_000] * 900, ["second"] * 2))
    assert texts_of(workbench, "subtitle_und_4.vtt") == ["second"] * 2
    assert 800 < len(texts_of(workbench, "subtitle_und_3.vtt")) < (8 << 20) // 10_000
    assert (
        "The subtitle stream 3 has more than 8 MiB or 500000 lines of captions: the last ones are left out"
        in log_of(info)
    )


def test_subtitles_that_ffmpeg_cannot_convert_are_left_out(workbench, subtitled):
    """The second stream of the facts is none: as if its decoder failed."""
    name = subtitled("a.mkv", "subrip", ["first"] * 2, ["second"] * 2)
    run = workbench.start(workbench.job(name))
    for stage in run.stages():
        if stage.name == "encode":
            run.shared["facts"]["subtitles"][1]["index"] = 40
        run.perform(stage)
    assert [file.stem for file in workbench.output.glob("*.vtt")] == ["subtitle_und"]
    assert any(sentence.startswith("The subtitle stream 40 cannot be converted") for sentence in run.log)


def chapters(path, *titles):
    lines = [";FFMETADATA1"]
    for number, title in enumerate(titles):
        start, end = (2000 * step // len(titles) for step in (number, number + 1))
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={start}", f"END={end}", f"title={title}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read_chapters(path):
    argv = ["ffprobe", "-v", "error", "-show_chapters", "-print_format", "json", str(path)]
    return json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)["chapters"]


@pytest.mark.parametrize("name", ["a.mkv", *(pytest.param(name, marks=SLOW) for name in ("a.mp4", "a.mov"))])
def test_encode_titles_of_kilobytes_are_cut_and_the_chapters_stay(workbench, plain, tmp_path, name):
    titles = chapters(tmp_path / "titles", *["é" * 20_000] * 4)
    ffmpeg("-i", plain, "-i", titles, "-map", 0, "-map_chapters", 1, "-c", "copy", workbench.folder / name)
    info = workbench.encode(name)
    assert [one["tags"]["title"][:5] for one in read_chapters(workbench.output / "180p.mp4")] == ["ééééé"] * 4
    assert "The titles of 4 chapters are too long and were cut." in log_of(info)
    assert json_bytes(workbench.run.shared) < 10_000


def test_encode_titles_of_megabytes_are_not_read(workbench, plain, tmp_path):
    titles = chapters(tmp_path / "titles", *["x" * 5_000_000] * 4)
    path = workbench.folder / "a.mkv"
    ffmpeg("-i", plain, "-i", titles, "-map", 0, "-map_chapters", 1, "-c", "copy", path)
    info = workbench.encode("a.mkv")
    assert info["duration"] == 2
    assert read_chapters(workbench.output / "180p.mp4") == []
    assert "The file's tags and chapters are so long that they were not read" in log_of(info)
    # 20 MB of titles are not copied into what is published, either
    assert all(file.stat().st_size < 2_000_000 for file in workbench.output.iterdir())


def test_encode_hundreds_of_chapters_the_first_are_kept(workbench, plain, tmp_path):
    titles = chapters(tmp_path / "titles", *[f"Chapter {number}" for number in range(300)])
    path = workbench.folder / "a.mkv"
    ffmpeg("-i", plain, "-i", titles, "-map", 0, "-map_chapters", 1, "-c", "copy", path)
    info = workbench.encode("a.mkv")
    assert len(workbench.recipe.facts.chapters) == CHAPTERS
    # ffprobe itself misses some that are so short
    assert 0.9 * CHAPTERS < len(read_chapters(workbench.output / "180p.mp4")) <= CHAPTERS
    assert f"The file has 300 chapters: the first {CHAPTERS} are kept." in log_of(info)


@pytest.mark.slow
def test_encode_many_large_covers_take_seconds(workbench, tmp_path):
    """18 of them; each would be a PNG of a hundred megabytes."""
    covers = []
    for number, size in enumerate(["8100x8100", *["6000x6000"] * 3]):
        cover = tmp_path / f"{number}.jpg"
        ffmpeg("-f", "lavfi", "-i", f"color=red:s={size}", "-frames:v", 1, cover)
        covers.append(cover)
    inputs = [word for number in range(12) for word in ("-i", covers[min(number, 3)])]
    maps = [word for number in range(1, 13) for word in ("-map", number)]
    ffmpeg(
        "-f", "lavfi", "-i", "sine=d=2", *inputs, "-map", 0, *maps, "-c:v", "copy", "-disposition:v", "attached_pic",
        workbench.folder / "song.mp3",
    )  # fmt: skip
    started_s = time.monotonic()
    info = workbench.encode("song.mp3")
    assert time.monotonic() - started_s < 30
    assert len(list(workbench.output.glob("thumbnail_*.png"))) == PICTURES + 1
    assert "The attached picture 1 has 8100 × 8100 pixels" in log_of(info)
    assert f"The file has 12 attached pictures: the first {PICTURES} are considered" in log_of(info)


def test_every_step_of_a_file_full_of_metadata_is_short(workbench, subtitled, tmp_path):
    titles = chapters(tmp_path / "titles", *["讲座" * 100] * 500)
    streams = [["text"]] * 20
    name = subtitled("texts.mkv", "subrip", *streams)
    path = workbench.folder / "full.mkv"
    ffmpeg("-i", workbench.folder / name, "-i", titles, "-map", 0, "-map_chapters", 1, "-c", "copy", path)
    run = workbench.start(workbench.job("full.mkv"))
    sizes = []
    for stage in run.stages():
        for spec in stage.steps:
            sizes.append(len(run.step(spec).model_dump_json()))
            reply = run.perform_step(spec)
            sizes.append(json_bytes(reply.shared if isinstance(reply, Plan) else reply.model_dump(mode="json")))
    assert max(sizes) < STEP_BYTES / 2
