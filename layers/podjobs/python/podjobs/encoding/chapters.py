"""The chapters of a source, on the output's time line. Pure."""

import re
from collections.abc import Sequence

from podjobs.encoding.recipe import Recipe
from podjobs.media.facts import ChapterFacts

TICKS_PER_S = 1000


def output_chapters(recipe: Recipe) -> tuple[ChapterFacts, ...]:
    """Move the chapters to the output's time line; those outside the cut are left out."""
    begin_s, length_s = recipe.offset_s, recipe.duration_s
    end_of_main_s = float("inf") if length_s is None else begin_s + length_s
    shift_s = begin_s - recipe.origin_s
    moved = []
    for chapter in recipe.facts.chapters:
        start_s = max(begin_s, chapter.start_s + shift_s)
        end_s = min(end_of_main_s, chapter.end_s + shift_s)
        if end_s > start_s:
            moved.append(ChapterFacts(start_s=start_s, end_s=end_s, title=chapter.title))
    return tuple(moved)


def ffmetadata(chapters: Sequence[ChapterFacts]) -> str:
    """Write chapters in the format of ffmpeg's metadata files. Source: ffmpeg-formats, section Metadata."""
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        start, end = (round(time_s * TICKS_PER_S) for time_s in (chapter.start_s, chapter.end_s))
        lines += ["[CHAPTER]", f"TIMEBASE=1/{TICKS_PER_S}", f"START={start}", f"END={end}"]
        lines.append("title=" + re.sub(r"([=;#\\\n])", r"\\\1", chapter.title))
    return "\n".join(lines) + "\n"
