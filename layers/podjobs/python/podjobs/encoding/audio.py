"""Encodes the sound in one piece, as priming samples would click at every join; all bit rates in one pass."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ffmpeg

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.plans import Result
from podjobs.encoding.audibility import Audibility, can_be_silent, examine_sound, silence_parts, tell_silent
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.limits import audio_limits
from podjobs.encoding.recipe import Credit, PartName, Recipe
from podjobs.encoding.results import AudioResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.sound import SAMPLE_RATE_HZ, SoundCut, begin_sound, cut_sound, exactly, in_stereo
from podjobs.encoding.steps import AUDIO_FOLDER
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING, mix_down
from podjobs.media.levels import STEREO, Recording, describe_cancelling, measure_levels
from podjobs.media.limits import watch_length

MP3_QUALITY = 2
"""LAME's -V 2: variable, 170-210 kbit/s in stereo. Source: docs/contract-pod.md."""


def published_mp3(settings: EncodingSettings) -> str:
    """Name of the MP3 that Pod offers."""
    return f"audio_{settings.ffmpeg_audio_bitrate}.mp3"


def published_m4a(settings: EncodingSettings) -> str:
    """Name of the M4A that Pod offers for a source without video."""
    return f"audio_{settings.ffmpeg_audio_bitrate}.m4a"


def track_name(rate_bps: int) -> str:
    """Name of the work file that all renditions with this audio bit rate share."""
    return f"{rate_bps}.m4a"


def audio_argv(recipe: Recipe, sources: Sequence[MediaInput], folder: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that makes all audio files of a job.

    The sound begins exactly where the output's time line does: earlier sound is cut off, missing sound is silence.

    Args:
        recipe: the job.
        sources: opening, main video and ending, those that exist.
        folder: where the files are written.
        settings: the ffmpeg command, the published bit rate.
    """
    files = _files(recipe, folder, settings)
    channels = recipe.facts.audio.channels if recipe.facts.audio and not recipe.has_credits else 2
    parts = _parts(recipe, sources, settings)
    whole = ffmpeg.concat(*parts, v=0, a=1) if len(parts) > 1 else parts[0]
    # more than two channels are mixed down, as not every browser plays them
    samples = whole.filter("aformat", channel_layouts="mono" if channels == 1 else "stereo").filter_multi_output(
        "asplit", len(files)
    )
    outputs = [
        # the muxer would copy the source's chapters, which do not follow the cut
        ffmpeg.output(samples[index], path, map_chapters=-1, **options)
        for index, (path, options) in enumerate(files)
    ]
    # -progress: sound that does not end is noticed while it is encoded
    return ffmpeg_argv(outputs, settings, *KEEP_GOING, "-progress", "pipe:1")


def _parts(recipe: Recipe, sources: Sequence[MediaInput], settings: EncodingSettings) -> list[Any]:
    """The sound of opening, main video and ending; each exactly as long as its picture if another part follows."""
    files = iter(sources)
    parts = []
    if recipe.opening:
        parts.append(_credit_sound(recipe.opening, next(files), "opening", settings))
    main = _main_sound(recipe, next(files), settings)
    if recipe.duration_s is not None and recipe.has_credits:
        main = exactly(in_stereo(main, recipe.facts.audio), recipe.duration_s)
    elif recipe.duration_s is not None and recipe.pad_audio:
        main = exactly(main, recipe.duration_s)
    parts.append(main)
    if recipe.ending:
        parts.append(_credit_sound(recipe.ending, next(files), "ending", settings))
    return parts


def _main_sound(recipe: Recipe, source: MediaInput, settings: EncodingSettings) -> Any:
    audio = recipe.facts.audio
    if audio is None:
        return _silence("main")
    end_s = recipe.duration_s if recipe.ends else None
    return cut_sound(SoundCut(source, audio, recipe.facts.start_s, recipe.origin_s, end_s), settings)


def _credit_sound(credit: Credit, source: MediaInput, which: PartName, settings: EncodingSettings) -> Any:
    video, audio = credit.facts.video, credit.facts.audio
    if video is None or audio is None:
        return exactly(in_stereo(_silence(which), None), credit.length_s)
    sound = open_source(source, settings, copyts=None)[str(audio.index)]
    sound = mix_down(_distinct(sound, which), audio.channels)
    return exactly(in_stereo(begin_sound(sound, video.start_s), audio), credit.length_s)


def _silence(which: PartName) -> Any:
    return _distinct(ffmpeg.input(f"anullsrc=r={SAMPLE_RATE_HZ}:cl=stereo", f="lavfi").audio, which)


def _distinct(sound: Any, which: PartName) -> Any:
    """Begin a part's filters with a unique one: ffmpeg-python merges equal chains, such as those of equal credits."""
    nothing = {"opening": "PTS+0", "main": "PTS", "ending": "PTS-0"}[which]
    return sound.filter("asetpts", nothing)


def _files(recipe: Recipe, folder: str, settings: EncodingSettings) -> list[tuple[str, dict[str, Any]]]:
    """The files to write, with the options of each."""
    mp3 = {"c:a": "libmp3lame", "q:a": MP3_QUALITY, "f": "mp3"}
    files: list[tuple[str, dict[str, Any]]] = [(f"{folder}/{published_mp3(settings)}", mp3)]
    if recipe.facts.video is None:
        # +faststart: the index comes first, so that playback starts before the download ends
        m4a = {"c:a": "aac", "b:a": settings.ffmpeg_audio_bitrate, "movflags": "+faststart", "f": "ipod"}
        files.append((f"{folder}/{published_m4a(settings)}", m4a))
    else:
        # ipod: ffmpeg's MP4 muxer for .m4a files
        files += [
            (f"{folder}/{track_name(rate_bps)}", {"c:a": "aac", "b:a": rate_bps, "f": "ipod"})
            for rate_bps in recipe.audio_rates_bps
        ]
    return files


def encode_audio(context: EncodingContext) -> Result:
    """Encode the sound of a job and leave its files in the job's work folder: none if no part has sound.

    Where a part's sound cannot be heard, silence takes its place.

    Raises:
        PermanentError: ffmpeg fails on this source, or an audio-only recording has no sound in this part.
        RetryableError: the source does not exist.
    """
    recipe, work = context.recipe, context.work
    log: tuple[str, ...] = ()
    with work.writing(AUDIO_FOLDER) as folder:
        try:
            duration_s = _encode(recipe, folder, work)
        except PermanentError as error:
            found = examine_sound(recipe, work)
            log = tell_silent(found)
            if not log:
                raise
            _refuse_without_video(recipe, found, work, error)
            for file in folder.iterdir():
                file.unlink()
            duration_s = _encode(silence_parts(recipe, found), folder, work) if can_be_silent(recipe, found) else 0.0
        names = tuple(sorted(file.name for file in folder.iterdir()))
    log += tell_cancelling(recipe, work) if names else ()
    return AudioResult(files=names, duration_s=duration_s, notes=log).reply(log)


def tell_cancelling(recipe: Recipe, work: Workspace) -> tuple[str, ...]:
    """Tell if the two channels of the video cancel each other; they are published as they are, as the author's work."""
    audio = recipe.facts.audio
    if audio is None or audio.channels != STEREO or recipe.duration_s is None:
        return ()
    length_s = recipe.origin_s - recipe.facts.start_s + recipe.duration_s
    recording = Recording(recipe.source, audio, length_s, not recipe.facts.seeks_badly)
    return (describe_cancelling(),) if measure_levels(recording, work).cancels else ()


def _encode(recipe: Recipe, folder: Path, work: Workspace) -> float:
    """Encode the sound. Returns its length in seconds. Raises PermanentError if there is none."""
    keys = [credit.source for credit in (recipe.opening,) if credit] + [recipe.source]
    keys += [credit.source for credit in (recipe.ending,) if credit]
    sources = [work.storage.input_of(key) for key in keys]
    work.run(
        audio_argv(recipe, sources, str(folder), work.settings),
        access=Access(tuple(sources), folder),
        on_progress=watch_length(work.storage.pod_path(recipe.source), work.settings),
        limits=audio_limits(recipe, work.storage.size_bytes(recipe.source), work.settings),
    )
    first = min(folder.iterdir())
    probe = [work.settings.ffprobe_cmd, "-v", "error", "-show_entries", "format=duration"]
    report = work.run([*probe, "-print_format", "json", "-i", str(first)], access=Access((first,)))
    duration_s = float(json.loads(report)["format"].get("duration", 0))
    if not duration_s:
        raise PermanentError("No sound was encoded.", kind=FailureKind.DAMAGED)
    return duration_s


def _refuse_without_video(
    recipe: Recipe, found: Mapping[PartName, Audibility], work: Workspace, error: PermanentError
) -> None:
    """Refuse a recording that consists of sound alone, by name of what is wrong with it."""
    if recipe.facts.video is not None:
        return
    kind = error.kind or FailureKind.DAMAGED
    if found["main"] is Audibility.ELSEWHERE:
        kind = FailureKind.CUT
        detail = "There is no sound in this part of the recording. Correct the cut, or upload it again."
    else:
        name = work.storage.pod_path(recipe.source)
        what = "contains none" if found["main"] is Audibility.EMPTY else "is damaged, or its sound cannot be decoded"
        detail = f"The file {name!r} should have sound, but {what}. Check that it plays, and upload it again."
    raise PermanentError(detail, kind=kind, **error.context) from error
