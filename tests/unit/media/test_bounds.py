"""Metadata are cut to what may travel."""

import pytest

from podjobs.contract.bounds import json_bytes
from podjobs.media.bounds import (
    CHAPTERS,
    PICTURES,
    SUBTITLES,
    TITLES_BYTES,
    bound_metadata,
    fit_titles,
    without_metadata,
)
from podjobs.media.facts import ChapterFacts, MediaFacts, PictureFacts, SubtitleFacts


def facts(**values):
    return MediaFacts(format_name="matroska,webm", start_s=0, duration_s=9, video=None, audio=None, **values)


def chapters(*titles):
    return tuple(ChapterFacts(start_s=number, end_s=number + 1, title=title) for number, title in enumerate(titles))


def subtitles(*languages, codec="subrip"):
    return tuple(
        SubtitleFacts(index=index, codec=codec, language=language) for index, language in enumerate(languages, start=2)
    )


def test_bound_metadata_leaves_usual_ones_alone():
    usual = facts(
        chapters=chapters("Été", "讲座", ""),
        subtitles=subtitles("fre", "pt-BR", "zh-Hant-TW", ""),
        pictures=(PictureFacts(index=1, width_px=3000, height_px=3000),),
    )
    assert bound_metadata(usual) == usual


def test_bound_metadata_many_chapters_the_first_are_kept():
    bounded = bound_metadata(facts(chapters=chapters(*["x"] * 100_000)))
    assert len(bounded.chapters) == CHAPTERS
    assert bounded.notes == (f"The file has 100000 chapters: the first {CHAPTERS} are kept.",)


def test_bound_metadata_long_title_is_cut():
    bounded = bound_metadata(facts(chapters=chapters("short", "x" * 13_000_000)))
    assert [len(chapter.title) for chapter in bounded.chapters] == [5, 398]
    assert bounded.chapters[1].title.endswith("x…")
    assert bounded.notes == ("The title of 1 chapter is too long and was cut.",)


@pytest.mark.parametrize("character", ["x", "é", "讲", "🎓", '"', "\\", "\x01", "\ud800"])
def test_fit_titles_all_together_fit_whatever_they_consist_of(character):
    titles = fit_titles([character * 1000] * CHAPTERS)
    assert sum(map(json_bytes, titles)) <= TITLES_BYTES
    assert all(titles)


def test_fit_titles_short_ones_are_unchanged_beside_a_long_one():
    assert fit_titles(["Introduction", "x" * 500])[0] == "Introduction"


def test_bound_metadata_title_is_one_line():
    assert bound_metadata(facts(chapters=chapters("a\r\n[CHAPTER]\0b"))).chapters[0].title == "a [CHAPTER] b"


@pytest.mark.parametrize("language", ["x" * 300, "Français (sous-titres)", "../../etc", "e\0ng", "fr fr"])
def test_bound_metadata_language_that_is_none_is_undetermined(language):
    bounded = bound_metadata(facts(subtitles=subtitles(language)))
    assert bounded.subtitles[0].language == ""
    (note,) = bounded.notes
    assert note.endswith("is no language tag: it is taken as undetermined.")
    assert len(note) < 200


def test_bound_metadata_language_with_underscore_is_a_tag():
    assert bound_metadata(facts(subtitles=subtitles("fr_FR"))).subtitles[0].language == "fr-FR"


def test_bound_metadata_many_subtitles_the_first_are_kept():
    bounded = bound_metadata(facts(subtitles=subtitles(*["eng"] * 40)))
    assert len(bounded.subtitles) == SUBTITLES
    assert bounded.notes == ("The file has 40 subtitle streams: 24 of them are left out.",)


def test_bound_metadata_text_is_not_left_out_for_pictures_of_text():
    streams = subtitles(*["eng"] * 30, codec="dvd_subtitle")
    streams += (SubtitleFacts(index=40, codec="subrip", language="fre"),)
    assert [one.index for one in bound_metadata(facts(subtitles=streams)).text_subtitles] == [40]


def test_bound_metadata_few_pictures_are_kept_and_none_that_is_too_large():
    sizes = [(8100, 8100), *[(500, 500)] * 17]
    pictures = tuple(PictureFacts(index=i, width_px=w, height_px=h) for i, (w, h) in enumerate(sizes))
    bounded = bound_metadata(facts(pictures=pictures))
    assert [picture.index for picture in bounded.pictures] == list(range(1, 1 + PICTURES))
    assert bounded.notes[0].startswith("The attached picture 0 has 8100 × 8100 pixels")
    assert bounded.notes[1] == f"The file has 18 attached pictures: the first {PICTURES} are considered."


def test_bound_metadata_pictures_that_are_all_too_large_are_left_out_and_counted():
    pictures = tuple(PictureFacts(index=i, width_px=8100, height_px=8100) for i in range(18))
    bounded = bound_metadata(facts(pictures=pictures))
    assert bounded.pictures == ()
    assert bounded.notes[-1] == f"{18 - PICTURES} more attached pictures are as large: they are left out."


def test_without_metadata_leaves_the_streams():
    plain = facts()
    assert without_metadata(plain.model_copy(update={"chapters": chapters("x"), "notes": ("x",)})) == plain
