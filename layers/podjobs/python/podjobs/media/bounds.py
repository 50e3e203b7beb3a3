"""How much a file's metadata may be: what is more is cut or left out, with a sentence. Pure.

Metadata travel with every step of a job, and uploads contain whatever somebody wrote into them: chapter titles of
megabytes, hundreds of covers.
"""

import re
from collections.abc import Sequence

from podjobs.contract.bounds import cut_text, json_bytes
from podjobs.media.facts import ChapterFacts, MediaFacts, PictureFacts, SubtitleFacts

CHAPTERS = 150
TITLE_BYTES = 400
"""For the title of a chapter."""
TITLES_BYTES = 8000
"""For all of them together."""
SUBTITLES = 16
PICTURES = 4
"""Attached to the file. Pod shows one of them; more are tried if the first ones cannot be read."""
LARGEST_PICTURE_PX = 64_000_000
"""Of a picture attached to the file: more than photographs have. It takes a second or two to decode."""
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
"""Two or three letters, perhaps a script and a region. Source: RFC 5646, 4.4.1: 35 characters suffice."""
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]+")


def bound_metadata(facts: MediaFacts) -> MediaFacts:
    """Cut a file's metadata to what may travel.

    Args:
        facts: as reported.

    Returns:
        The facts, and in their notes a sentence about everything that is missing.
    """
    chapters, chapter_notes = _bound_chapters(facts.chapters)
    subtitles, subtitle_notes = _bound_subtitles(facts.subtitles)
    pictures, picture_notes = _bound_pictures(facts.pictures)
    notes = (*facts.notes, *chapter_notes, *subtitle_notes, *picture_notes)
    return facts.model_copy(update={"chapters": chapters, "subtitles": subtitles, "pictures": pictures, "notes": notes})


def without_metadata(facts: MediaFacts) -> MediaFacts:
    """The streams alone, of a file of which nothing else is used."""
    return facts.model_copy(update={"chapters": (), "subtitles": (), "pictures": (), "notes": ()})


def _bound_chapters(chapters: Sequence[ChapterFacts]) -> tuple[tuple[ChapterFacts, ...], list[str]]:
    notes = []
    if len(chapters) > CHAPTERS:
        notes.append(f"The file has {len(chapters)} chapters: the first {CHAPTERS} are kept.")
    kept = chapters[:CHAPTERS]
    titles = [_CONTROL_CHARACTERS.sub(" ", chapter.title).strip() for chapter in kept]
    cut = fit_titles(titles)
    if shortened := sum(short != title for short, title in zip(cut, titles, strict=True)):
        which = "title of 1 chapter is" if shortened == 1 else f"titles of {shortened} chapters are"
        notes.append(f"The {which} too long and {'was' if shortened == 1 else 'were'} cut.")
    return tuple(chapter.model_copy(update={"title": title}) for chapter, title in zip(kept, cut, strict=True)), notes


def fit_titles(titles: Sequence[str]) -> list[str]:
    """Cut titles: each that is very long; and if all together are too long, each to its share.

    Args:
        titles: of chapters.
    """
    cut = [cut_text(title, TITLE_BYTES) for title in titles]
    if sum(map(json_bytes, cut)) <= TITLES_BYTES:
        return cut
    return [cut_text(title, TITLES_BYTES // len(cut) - 2) for title in cut]


def _bound_subtitles(subtitles: Sequence[SubtitleFacts]) -> tuple[tuple[SubtitleFacts, ...], list[str]]:
    notes = []
    # those that are pictures are left out later, with a sentence each
    kept = [subtitle for subtitle in subtitles if subtitle.is_text][:SUBTITLES]
    kept += [subtitle for subtitle in subtitles if not subtitle.is_text][:SUBTITLES]
    if len(kept) < len(subtitles):
        notes.append(
            f"The file has {len(subtitles)} subtitle streams: {len(subtitles) - len(kept)} of them are left out."
        )
    bounded = []
    for subtitle in sorted(kept, key=lambda one: one.index):
        language = subtitle.language.strip().replace("_", "-")
        if language and not LANGUAGE_TAG.fullmatch(language):
            shown = cut_text(_CONTROL_CHARACTERS.sub(" ", language), 40)
            notes.append(
                f"The language of the subtitle stream {subtitle.index}, {shown!r}, is no language tag: it is taken as "
                "undetermined."
            )
            language = ""
        bounded.append(subtitle.model_copy(update={"language": language}))
    return tuple(bounded), notes


def _bound_pictures(pictures: Sequence[PictureFacts]) -> tuple[tuple[PictureFacts, ...], list[str]]:
    large = [picture for picture in pictures if picture.width_px * picture.height_px > LARGEST_PICTURE_PX]
    small = [picture for picture in pictures if picture not in large]
    notes = [
        f"The attached picture {picture.index} has {picture.width_px} × {picture.height_px} pixels, at most "
        f"{LARGEST_PICTURE_PX} in all are decoded: it is left out."
        for picture in large[:PICTURES]
    ]
    if len(large) > PICTURES:
        notes.append(f"{len(large) - PICTURES} more attached pictures are as large: they are left out.")
    if len(small) > PICTURES:
        notes.append(f"The file has {len(pictures)} attached pictures: the first {PICTURES} are considered.")
    return tuple(small[:PICTURES]), notes
