"""Subtitles and chapters: they follow the cut."""

import json
import struct
import subprocess

import pytest
import webvtt

from support.media import ffmpeg, make_video

SRT = """1
00:00:00,500 --> 00:00:01,500
First, <i>before</i> the cut

2
00:00:01,750 --> 00:00:03,250
across its start
in two lines

3
00:00:04,000 --> 00:00:04,600
inside

4
00:00:05,000 --> 00:00:06,900
past its end
"""
CHAPTERS = """;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=2500
title=Accents é; signs \\= \\; \\#
[CHAPTER]
TIMEBASE=1/1000
START=2500
END=6000
title=Second
[CHAPTER]
TIMEBASE=1/1000
START=6000
END=7000
title=Gone
"""


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "a.srt").write_text(SRT, encoding="utf-8")
    (tmp_path / "b.srt").write_text(SRT.replace("inside", "dedans"), encoding="utf-8")
    (tmp_path / "chapters").write_text(CHAPTERS, encoding="utf-8")
    return tmp_path


def source(workbench, texts, name, codec):
    plain = make_video(texts / "plain.mp4", duration_s=7, size="320x180")
    ffmpeg(
        "-i", plain, "-i", texts / "a.srt", "-i", texts / "b.srt", "-i", texts / "chapters", "-map", "0", "-map", "1",
        "-map", "2", "-map", "2", "-map_chapters", "3", "-c", "copy", "-c:s", codec, "-metadata:s:s:0", "language=fre",
        "-metadata:s:s:1", "language=fre", workbench.folder / name,
    )  # fmt: skip
    return name


def captions_of(path):
    return [(caption.start, caption.end, caption.text) for caption in webvtt.read(path)]


@pytest.mark.parametrize(("name", "codec"), [("talk.mkv", "subrip"), ("talk.mp4", "mov_text"), ("talk.mkv", "ass")])
def test_encode_subtitles_become_captions_of_their_language_two_of_one_are_both_kept(workbench, texts, name, codec):
    info = workbench.encode(source(workbench, texts, name, codec))
    files = info["list_subtitle_files"]
    assert [language for language, _ in files.values()] == ["fre", "fre", "und"]
    names = [path.rpartition("/")[2] for _, path in files.values()]
    assert names == ["subtitle_fre.vtt", f"subtitle_fre_{list(files)[1]}.vtt", "subtitle_und.vtt"]
    first, second = (captions_of(workbench.output / name) for name in names[:2])
    assert first[1] == ("00:00:01.750", "00:00:03.250", "across its start\nin two lines")
    assert second[2] == ("00:00:04.000", "00:00:04.600", "dedans")
    assert len(first) == len(second) == 4


def test_encode_subtitles_follow_the_cut(workbench, texts):
    info = workbench.encode(source(workbench, texts, "talk.mkv", "subrip"), cut_start=2, cut_end=6)
    captions = captions_of(workbench.output / "subtitle_fre.vtt")
    assert captions == [
        ("00:00:00.000", "00:00:01.250", "across its start\nin two lines"),
        ("00:00:02.000", "00:00:02.600", "inside"),
        ("00:00:03.000", "00:00:04.000", "past its end"),
    ]
    assert info["duration"] == 4


def test_encode_subtitles_without_captions_in_the_cut_are_left_out(workbench, texts):
    info = workbench.encode(source(workbench, texts, "talk.mkv", "subrip"), cut_start=3.3, cut_end=3.9)
    assert info["list_subtitle_files"] == {}
    assert not list(workbench.output.glob("*.vtt"))


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ({}, [(0, 2.5, "Accents é; signs = ; #"), (2.5, 6, "Second"), (6, 7, "Gone")]),
        ({"cut_start": 1, "cut_end": 5}, [(0, 1.5, "Accents é; signs = ; #"), (1.5, 4, "Second")]),
    ],
)
def test_encode_chapters_of_the_mp4_follow_the_cut(workbench, texts, cut, expected):
    workbench.encode(source(workbench, texts, "talk.mkv", "subrip"), **cut)
    argv = ["ffprobe", "-v", "error", "-show_chapters", "-print_format", "json", str(workbench.output / "180p.mp4")]
    chapters = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)["chapters"]
    found = [(float(one["start_time"]), float(one["end_time"]), one["tags"]["title"]) for one in chapters]
    assert found == [
        (pytest.approx(start, abs=0.05), pytest.approx(end, abs=0.05), title) for start, end, title in expected
    ]
    assert not (workbench.output / "chapters.txt").exists()


def test_encode_subtitles_that_are_pictures_are_left_out_and_logged(workbench, texts):
    """As Blu-rays have them: composition and end of an empty display set."""

    def segment(kind, data):
        return b"PG" + struct.pack(">IIBH", 90_000, 0, kind, len(data)) + data

    composition = struct.pack(">HHBHBBBB", 320, 180, 0x10, 0, 0x80, 0, 0, 0)
    (texts / "a.sup").write_bytes(segment(0x16, composition) + segment(0x80, b""))
    plain = make_video(texts / "plain.mp4", duration_s=3, size="320x180")
    ffmpeg(
        "-i", plain, "-i", texts / "a.sup", "-i", texts / "a.srt", "-map", "0", "-map", "1", "-map", "2", "-c", "copy",
        "-metadata:s:s:1", "language=eng", workbench.folder / "talk.mkv",
    )  # fmt: skip
    info = workbench.encode("talk.mkv")
    assert [language for language, _ in info["list_subtitle_files"].values()] == ["eng"]
    sentence = "subtitle stream 2 (hdmv_pgs_subtitle) contains pictures, not text, and is left out"
    assert sentence in info["encoding_log"]["encoding"]["msg"]
