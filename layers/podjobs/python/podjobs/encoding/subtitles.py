"""Converts the text subtitles of a source into WebVTT that follows the cut.

Whatever is wrong with them, the video is published: what cannot be converted is left out, with a sentence.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ffmpeg

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import CommandStoppedError, PermanentError, blames_disk
from podjobs.contract.plans import Result
from podjobs.encoding.caption_text import DecodedText, decode_text
from podjobs.encoding.captions import CAPTION_CHARS, CAPTIONS, LINES, ShiftedCaptions, shift_captions
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.limits import LEAST_CPU_S, subtitle_limits
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.results import SubtitleFile, SubtitlesResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import SUBTITLES_FOLDER
from podjobs.media.commands import KEEP_GOING
from podjobs.media.facts import SubtitleFacts
from podjobs.media.timestamps import timestamp

UNKNOWN_LANGUAGE = "und"
"""ISO 639-2's code for undetermined."""
LANGUAGE_CHARS = 35
"""Of a language in the name of a file. Source: RFC 5646, 4.4.1."""
CAPTIONS_BYTES = 8 << 20
"""The most captions of a stream: twelve hours of every word with its own time."""
_PARTIAL_CHARACTER = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2}\Z")
"""At the end of UTF-8 that was cut off."""
MOVING_S = 60.0
"""For moving the captions of all streams; each takes a second at most."""


@dataclass(frozen=True)
class _Stream:
    """A subtitle stream, and where its captions are written."""

    facts: SubtitleFacts
    file: Path

    @property
    def name(self) -> str:
        """How sentences name it."""
        return f"The subtitle stream {self.facts.index}"


def file_names(subtitles: Sequence[SubtitleFacts]) -> list[str]:
    """Name the files: `subtitle_<language>.vtt`; further ones of the same language also have the stream's index."""
    names: list[str] = []
    for subtitle in subtitles:
        language = re.sub(r"[^A-Za-z0-9-]", "", subtitle.language)[:LANGUAGE_CHARS] or UNKNOWN_LANGUAGE
        name = f"subtitle_{language}.vtt"
        # some shared folders do not tell capitals from small letters
        taken = name.lower() in map(str.lower, names)
        names.append(f"subtitle_{language}_{subtitle.index}.vtt" if taken else name)
    return names


def subtitles_argv(
    subtitles: Sequence[tuple[SubtitleFacts, Path]], source: MediaInput, settings: EncodingSettings
) -> list[str]:
    """The ffmpeg command that writes text subtitles as WebVTT, still with the source's timestamps.

    Args:
        subtitles: the streams, and the file of each.
        source: the file.
        settings: the ffmpeg command.
    """
    # -copyts: captions keep the timestamps of the file's own clock, by which they are moved afterwards.
    # -sub_charenc_mode: bytes are passed on as they are; otherwise, text that is not UTF-8 would be an error.
    file = open_source(source, settings, copyts=None, sub_charenc_mode="ignore")
    outputs = [
        ffmpeg.output(file[str(subtitle.index)], str(path), f="webvtt", fs=2 * CAPTIONS_BYTES, **{"c:s": "webvtt"})
        for subtitle, path in subtitles
    ]
    return ffmpeg_argv(outputs, settings, *KEEP_GOING)


def make_subtitles(context: EncodingContext) -> Result:
    """Write the subtitles of a job into its work folder; those without captions in the cut are left out.

    Raises:
        RetryableError: the source does not exist; or, at the first attempt, ffmpeg did not end by itself.
        OperatorNeededError: the disk is full.
    """
    recipe, work = context.recipe, context.work
    made: list[SubtitleFile] = []
    log: list[str] = []
    subtitles = recipe.facts.text_subtitles
    with work.writing(SUBTITLES_FOLDER) as folder:
        names = file_names(subtitles)
        streams = [_Stream(subtitle, folder / name) for subtitle, name in zip(subtitles, names, strict=True)]
        log += _convert(streams, context)
        ends_at = time.monotonic() + MOVING_S
        for stream in (stream for stream in streams if stream.file.exists()):
            if time.monotonic() > ends_at:
                log.append(f"{stream.name} is left out: there is too much of all of them.")
                stream.file.unlink()
                continue
            count, sentences = _follow_cut(stream, recipe)
            log += sentences
            if count:
                language = stream.facts.language or UNKNOWN_LANGUAGE
                made.append(SubtitleFile(stream.facts.index, language, stream.file.name))
            else:
                stream.file.unlink()
    return SubtitlesResult(files=tuple(made), notes=tuple(log)).reply(log)


def _convert(streams: Sequence[_Stream], context: EncodingContext) -> list[str]:
    """Let ffmpeg write all files at once; if it fails, one by one.

    Returns:
        A sentence about each stream that cannot be converted; it has no file.
    """
    work, alone = context.work, len(streams) == 1
    limits = subtitle_limits(work.storage.size_bytes(context.recipe.source))
    try:
        _write(streams, context, limits, work.timeout_s if alone else work.timeout_s / 2)
    except (PermanentError, CommandStoppedError) as error:
        # nothing may be wrong with the subtitles
        if context.step.attempt == 1 and (isinstance(error, CommandStoppedError) or blames_disk(error)):
            raise
        if alone:
            return [_left_out(streams[0], error)]
    else:
        return []
    limits = replace(limits, cpu_s=max(LEAST_CPU_S, limits.cpu_s or 0) // len(streams))
    log = []
    for stream in streams:
        try:
            _write([stream], context, limits, work.timeout_s / 2 / len(streams))
        except (PermanentError, CommandStoppedError) as error:
            log.append(_left_out(stream, error))
    return log


def _write(streams: Sequence[_Stream], context: EncodingContext, limits: CommandLimits, timeout_s: float) -> None:
    work = context.work
    source = work.storage.input_of(context.recipe.source)
    argv = subtitles_argv([(stream.facts, stream.file) for stream in streams], source, work.settings)
    access = Access((source,), streams[0].file.parent)
    work.tools.run(argv, timeout_s=timeout_s, access=access, limits=limits)


def _left_out(stream: _Stream, error: PermanentError | CommandStoppedError) -> str:
    stream.file.unlink(missing_ok=True)
    return f"{stream.name} cannot be converted and is left out: {error.detail}"


def _follow_cut(stream: _Stream, recipe: Recipe) -> tuple[int, list[str]]:
    """Move a stream's captions to the output's time line. Returns how many are left, and sentences for the log."""
    with stream.file.open("rb") as file:
        content = file.read(CAPTIONS_BYTES)
        too_long = bool(file.read(1))
    if too_long:
        content = _PARTIAL_CHARACTER.sub(b"", content)
    if content.count(b"\n") > LINES:
        content, too_long = b"\n".join(content.split(b"\n", LINES)[:LINES]), True
    decoded = decode_text(content)
    begin_s = recipe.offset_s
    end_s = begin_s + recipe.duration_s if recipe.duration_s is not None and (recipe.ends or recipe.ending) else None
    shifted = shift_captions(decoded.text, recipe.origin_s - begin_s, begin_s, end_s)
    stream.file.write_text(shifted.content, encoding="utf-8")
    return shifted.kept, list(_describe(stream, decoded, shifted, too_long=too_long))


def _describe(stream: _Stream, decoded: DecodedText, shifted: ShiftedCaptions, *, too_long: bool) -> Iterator[str]:
    if decoded.read_as_fallback:
        yield f"{stream.name} is not UTF-8: {decoded.read_as_fallback} of its lines were read as Windows-1252."
    if decoded.left_out:
        yield (
            f"{stream.name} has {decoded.left_out} lines that are neither UTF-8 nor Windows-1252: they are left out. "
            "Convert the subtitles to UTF-8 and upload the video again."
        )
    if shifted.cut:
        yield f"{stream.name} has {shifted.cut} captions of more than {CAPTION_CHARS} characters: they were cut."
    if shifted.full_at_s is not None:
        rest = f"those from {timestamp(shifted.full_at_s)} on are left out"
        yield f"{stream.name} has more than {CAPTIONS} captions: {rest}."
    if too_long:
        most = f"{CAPTIONS_BYTES >> 20} MiB or {LINES} lines"
        yield f"{stream.name} has more than {most} of captions: the last ones are left out."
    if not shifted.kept:
        yield f"{stream.name} has no captions in this part of the video."
