"""Captions and chapters that follow the cut, and the names of caption files."""

import pytest

from podjobs.encoding.captions import shift_captions
from podjobs.encoding.chapters import ffmetadata
from podjobs.encoding.subtitles import file_names
from podjobs.media.facts import ChapterFacts, SubtitleFacts

CONTENT = "WEBVTT\n\n00:01.000 --> 00:02.000\nfirst\n\n01:00:00.500 --> 01:00:01.500\nsecond\nline\n"


@pytest.mark.parametrize(
    ("origin_s", "begin_s", "end_s", "expected"),
    [
        (0, 0, None, ["00:00:01.000 --> 00:00:02.000", "01:00:00.500 --> 01:00:01.500"]),
        (1.5, 0, None, ["00:00:00.000 --> 00:00:00.500", "00:59:59.000 --> 01:00:00.000"]),
        (3, 0, None, ["00:59:57.500 --> 00:59:58.500"]),
        (0, 0, 1.25, ["00:00:01.000 --> 00:00:01.250"]),
        (-10, 10, 3611, ["00:00:11.000 --> 00:00:12.000", "01:00:10.500 --> 01:00:11.000"]),  # after 10 s of credits
        (5000, 0, None, []),
    ],
)
def test_shift_captions_moves_clamps_and_leaves_out(origin_s, begin_s, end_s, expected):
    shifted = shift_captions(CONTENT, origin_s, begin_s, end_s)
    assert [line for line in shifted.content.splitlines() if "-->" in line] == expected
    assert shifted.kept == len(expected)


def test_file_names_tell_streams_of_one_language_apart_and_hold_no_path():
    subtitles = [
        SubtitleFacts(index=index, codec="subrip", language=language)
        for index, language in ((2, "fre"), (3, "fre"), (4, ""), (5, "../../x"))
    ]
    assert file_names(subtitles) == ["subtitle_fre.vtt", "subtitle_fre_3.vtt", "subtitle_und.vtt", "subtitle_x.vtt"]


def test_ffmetadata_escapes_titles():
    text = ffmetadata([ChapterFacts(start_s=1.5, end_s=2, title="a=b; #1 \\ c")])
    assert text.splitlines()[1:] == [
        "[CHAPTER]",
        "TIMEBASE=1/1000",
        "START=1500",
        "END=2000",
        r"title=a\=b\; \#1 \\ c",
    ]
