"""Captions and chapters that follow the cut, and the names of caption files."""

import time

import pytest

from podjobs.encoding.caption_text import decode_text
from podjobs.encoding.captions import CAPTION_CHARS, CAPTIONS, LINES, shift_captions
from podjobs.encoding.chapters import ffmetadata
from podjobs.encoding.subtitles import CAPTIONS_BYTES, file_names
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


def test_shift_captions_text_stays_within_its_caption():
    """WebVTT allows neither empty lines nor arrows in a text; times before the file's clock have no caption."""
    content = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\nfirst\n\n\nafter empty lines --> here\n"
        "\n00:00.-500 --> 00:01.000\nlost\n\n00:03.000 --> 00:04.000\nsecond\n"
    )
    assert shift_captions(content, 0, 0, None).content == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nfirst\nafter empty lines --&gt; here\n"
        "\n00:00:03.000 --> 00:00:04.000\nsecond\n"
    )


def test_shift_captions_caption_without_text_is_left_out():
    assert shift_captions("WEBVTT\n\n00:01.000 --> 00:02.000\n\n", 0, 0, None) == ("WEBVTT\n", 0, 0, None)


def test_shift_captions_of_hundreds_of_thousands_takes_a_moment_and_keeps_the_first():
    """One pass: two million lines in a second or two."""
    cues = (f"\n{n // 60:02d}:{n % 60:02d}.000 --> {n // 60:02d}:{n % 60:02d}.900\ncaption {n}\n" for n in range(3600))
    content = "WEBVTT\n" + "".join(cues) * 60
    started_s = time.process_time()
    shifted = shift_captions(content, 0, 0, None)
    assert time.process_time() - started_s < 8
    assert shifted.kept == CAPTIONS
    # 27 times an hour of captions, and 2,800 more
    assert shifted.full_at_s == CAPTIONS % 3600


def test_shift_captions_long_caption_is_cut():
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "x" * 10_000_000 + "\n"
    shifted = shift_captions(content, 0, 0, None)
    assert (shifted.kept, shifted.cut) == (1, 1)
    assert len(shifted.content) < CAPTION_CHARS + 100


@pytest.mark.parametrize(
    "content",
    [
        b"\n" + b"1" * CAPTIONS_BYTES,
        b"\n1" + b" " * CAPTIONS_BYTES,
        b"\n00:00.000 --> 00:01.000\n" + b"-->\n" * LINES,
        b"\n00:00.000 --> 00:01.000\n\xe9\n" * (LINES // 3),
        b"\xc3\n" * LINES,
        b"\n-1:00.000 --> 0\ntext\n" * (LINES // 3),
    ],
    ids=["digits", "spaces", "arrows", "captions", "no UTF-8", "bad times"],
)
def test_text_made_to_keep_us_busy_takes_a_moment(content):
    """As much as is read of a stream; each caption is looked at once."""
    started_s = time.process_time()
    shift_captions(decode_text(content[:CAPTIONS_BYTES]).text, 0, 0, None)
    assert time.process_time() - started_s < 5


def test_file_names_are_short_and_differ():
    """Two streams whose languages differ after 300 characters only, and two that differ in capitals."""
    subtitles = [
        SubtitleFacts(index=index, codec="subrip", language=language)
        for index, language in ((2, "x" * 300 + "a"), (3, "x" * 300 + "b"), (4, "eng"), (5, "ENG"), (6, "\0"))
    ]
    names = file_names(subtitles)
    assert len({name.lower() for name in names}) == 5
    assert max(map(len, names)) < 60
    assert names[2:] == ["subtitle_eng.vtt", "subtitle_ENG_5.vtt", "subtitle_und.vtt"]
