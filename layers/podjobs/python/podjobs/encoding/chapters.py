"""The chapters of a source, on the output's time line. Pure."""

import re
from collections.abc import Sequence

from podjobs.encoding.media import ChapterFacts
from podjobs.encoding.recipe import Recipe

TICKS_PER_S = 1000


def output_chapters(recipe: Recipe) -> tuple[ChapterFacts, ...]:
    """Move the chapters to the output's time line; what the cut leaves out goes."""
    length_s = recipe.duration_s if recipe.duration_s is not None else float("inf")
    moved = []
    for chapter in recipe.facts.chapters:
        start_s = max(0.0, chapter.start_s - recipe.origin_s)
        end_s = min(length_s, chapter.end_s - recipe.origin_s)
        if end_s > start_s:
            moved.append(ChapterFacts(start_s=start_s, end_s=end_s, title=chapter.title))
    return tuple(moved)


def ffmetadata(chapters: Sequence[ChapterFacts]) -> str:
    """Write chapters as ffmpeg's metadata file. Source: ffmpeg-formats, metadata muxer."""
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        start, end = (round(time_s * TICKS_PER_S) for time_s in (chapter.start_s, chapter.end_s))
        lines += ["[CHAPTER]", f"TIMEBASE=1/{TICKS_PER_S}", f"START={start}", f"END={end}"]
        lines.append("title=" + re.sub(r"([=;#\\\n])", r"\\\1", chapter.title))
    return "\n".join(lines) + "\n"
