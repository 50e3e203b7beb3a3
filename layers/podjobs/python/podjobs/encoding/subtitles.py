"""Converts the text subtitles of a source into WebVTT that follows the cut."""

import re
from collections.abc import Sequence
from pathlib import Path

import ffmpeg

from podjobs.contract.plans import Result
from podjobs.contract.ports import CommandLimits, MediaInput
from podjobs.encoding.captions import shift_captions
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.limits import SUBTITLE_FILES
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.results import SubtitleFile, SubtitlesResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import SUBTITLES_FOLDER
from podjobs.media.facts import SubtitleFacts

UNKNOWN_LANGUAGE = "und"
"""ISO 639-2's code for undetermined."""


def file_names(subtitles: Sequence[SubtitleFacts]) -> list[str]:
    """Name the files: `subtitle_<language>.vtt`; further ones of the same language also have the stream's index."""
    names: list[str] = []
    for subtitle in subtitles:
        language = re.sub(r"[^A-Za-z0-9-]", "", subtitle.language) or UNKNOWN_LANGUAGE
        name = f"subtitle_{language}.vtt"
        names.append(name if name not in names else f"subtitle_{language}_{subtitle.index}.vtt")
    return names


def subtitles_argv(recipe: Recipe, source: MediaInput, folder: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that writes every text subtitle as WebVTT, still with the source's timestamps.

    Args:
        recipe: the job.
        source: the file.
        folder: where the files are written.
        settings: the ffmpeg command.
    """
    # -copyts: captions keep the timestamps of the file's own clock, by which they are moved afterwards
    file = open_source(source, settings, copyts=None)
    subtitles = recipe.facts.text_subtitles
    outputs = [
        ffmpeg.output(file[str(subtitle.index)], f"{folder}/{name}", f="webvtt", **{"c:s": "webvtt"})
        for subtitle, name in zip(subtitles, file_names(subtitles), strict=True)
    ]
    return ffmpeg_argv(outputs, settings)


def make_subtitles(context: EncodingContext) -> Result:
    """Write the subtitles of a job into its work folder; those without captions in the cut are left out.

    Raises:
        PermanentError: ffmpeg fails on this source.
        RetryableError: the source does not exist.
    """
    recipe, work = context.recipe, context.work
    made: list[SubtitleFile] = []
    log: list[str] = []
    subtitles = recipe.facts.text_subtitles
    with work.writing(SUBTITLES_FOLDER) as folder:
        argv = subtitles_argv(recipe, work.storage.input_of(recipe.source), str(folder), work.settings)
        work.run(argv, limits=CommandLimits(work.timeout_s, SUBTITLE_FILES))
        for subtitle, name in zip(subtitles, file_names(subtitles), strict=True):
            if _follow_cut(folder / name, recipe):
                made.append(SubtitleFile(subtitle.index, subtitle.language or UNKNOWN_LANGUAGE, name))
            else:
                (folder / name).unlink()
                log.append(f"The subtitle stream {subtitle.index} has no captions in this part of the video.")
    return SubtitlesResult(files=tuple(made)).reply(log)


def _follow_cut(file: Path, recipe: Recipe) -> int:
    """Move a file's captions to the output's time line. Returns how many are left."""
    begin_s = recipe.offset_s
    end_s = begin_s + recipe.duration_s if recipe.duration_s is not None and (recipe.ends or recipe.ending) else None
    content, count = shift_captions(file.read_text(encoding="utf-8"), recipe.origin_s - begin_s, begin_s, end_s)
    file.write_text(content, encoding="utf-8")
    return count
