"""Packages one rendition: joined chunks and sound become MP4 and HLS by stream copy, and are verified."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg
import m3u8

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.plans import Result
from podjobs.encoding.audio import track_name
from podjobs.encoding.chapters import ffmetadata, output_chapters
from podjobs.encoding.commands import ffmpeg_argv
from podjobs.encoding.completeness import refuse_endless_frame
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.join import open_joined
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.limits import package_limits
from podjobs.encoding.playlist import correct_last_segment, inspect, stream_length_s
from podjobs.encoding.recipe import TICKS_PER_S, Recipe
from podjobs.encoding.results import PackageResult
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import AUDIO_FOLDER, PackageParams, chunk_id, package_id
from podjobs.encoding.verify import Expectation, Verdict, verify_package
from podjobs.encoding.workspace import Workspace

PAT_PERIOD_S = 10
"""How often MPEG-TS tables repeat within a segment, which begins with them; ffmpeg's 0.1 s is meant for broadcast."""
SHORTEST_RATE_S = 0.1
"""Bit rates are not measured over less: the last segment may hold a single frame."""


def package_argv(
    rendition: Rendition, track: MediaInput | None, folder: str, settings: EncodingSettings, chapters: str | None = None
) -> list[str]:
    """The ffmpeg command that reads the joined chunks from stdin and writes HLS, and MP4 if wanted.

    Args:
        rendition: what to package.
        track: the rendition's sound; None: the source has none.
        folder: where the files are written.
        settings: the ffmpeg command and the segment length.
        chapters: a metadata file with chapters; None: there are none.
    """
    streams = encoded_streams(track)
    outputs = [_hls_output(streams, f"{folder}/{rendition.name}p", settings)]
    if rendition.mp4:
        outputs.append(mp4_output(streams, f"{folder}/{rendition.name}p"))
    argv = ffmpeg_argv(outputs, settings, feeds_stdin=True)
    if chapters is not None:
        # ffmpeg-python has no inputs without streams; ffmpeg takes chapters from whichever input has them
        after_inputs = len(argv) - argv[::-1].index("-i") + 1
        argv[after_inputs:after_inputs] = ["-f", "ffmetadata", "-i", chapters]
    return argv


def encoded_streams(track: MediaInput | None) -> list[Any]:
    """The joined chunks, which are read from stdin, and their sound.

    Args:
        track: the sound; None: there is none.
    """
    # -copyts: both time lines stay as they are; they have the same origin.
    # -thread_queue_size: packets read ahead from the pipe; with ffmpeg's 8 it stalls while the sound is read.
    streams = [ffmpeg.input("pipe:0", f="nut", copyts=None, thread_queue_size=512)["v:0"]]
    if track is not None:
        streams.append(ffmpeg.input(track.url, protocol_whitelist=track.protocol_whitelist)["a:0"])
    return streams


def _hls_output(streams: list[Any], path: str, settings: EncodingSettings) -> Any:
    return ffmpeg.output(
        *streams,
        f"{path}.m3u8",
        c="copy",
        # MPEG-TS has no place for chapters
        map_chapters=-1,
        f="hls",
        hls_time=settings.ffmpeg_hls_time,
        # the playlist is complete: it lists all segments and has an end
        hls_playlist_type="vod",
        # one file with byte ranges, as Pod expects
        hls_flags="single_file",
        hls_segment_filename=f"{path}.ts",
        hls_segment_options=f"pat_period={PAT_PERIOD_S}:sdt_period={PAT_PERIOD_S}",
    )


def mp4_output(streams: Sequence[Any], path: str) -> Any:
    """An MP4 of encoded streams, as an output of ffmpeg-python.

    Args:
        streams: the joined chunks, and the sound if there is any.
        path: of the file, without its suffix.
    """
    return ffmpeg.output(
        *streams,
        f"{path}.mp4",
        c="copy",
        f="mp4",
        # the index comes first, so that playback starts before the download ends
        movflags="+faststart",
        # the time base of the chunks: any other would round their timestamps
        video_track_timescale=TICKS_PER_S,
        # of the file; chapters keep their titles
        **{"map_metadata:g": -1},
    )


def package_rendition(context: EncodingContext) -> Result:
    """Package one rendition, verify it, and leave its files in the job's work folder.

    Raises:
        PermanentError: there is no picture, or ffmpeg fails on the chunks.
        RetryableError: a chunk's file or the sound does not exist.
    """
    recipe, frames, work = context.recipe, context.results.frames, context.work
    rendition = recipe.renditions[context.params(PackageParams).rendition]
    chunks = [chunk for chunk in recipe.chunks if frames[chunk_id(chunk)]]
    if not chunks:
        detail = "The source has no picture that can be decoded. Convert it and upload it again."
        raise PermanentError(detail, kind=FailureKind.DAMAGED)
    refuse_endless_frame(context.results)
    track = work.input_of(f"{AUDIO_FOLDER}/{track_name(rendition.audio_bps)}") if context.results.audio.files else None
    with work.writing(package_id(recipe, rendition)) as folder:
        chapters = _write_chapters(recipe, folder)
        argv = package_argv(rendition, track, str(folder), work.settings, str(chapters) if chapters else None)
        limits = package_limits(recipe, rendition, work.settings)
        access = Access((track,) if track else (), folder)
        work.run(argv, access=access, feed=open_joined(chunks, rendition, work), limits=limits)
        if chapters:
            chapters.unlink()
        expected = Expectation(
            rendition=rendition,
            frames=sum(frames.values()),
            first_frame_s=context.results.chunks[chunk_id(chunks[0])].first_s or 0.0,
            has_audio=track is not None,
        )
        return _finish(recipe, expected, folder, work).reply()


def _write_chapters(recipe: Recipe, folder: Path) -> Path | None:
    chapters = output_chapters(recipe)
    if not chapters:
        return None
    file = folder / "chapters.txt"
    file.write_text(ffmetadata(chapters), encoding="utf-8")
    return file


def _finish(recipe: Recipe, expected: Expectation, folder: Path, work: Workspace) -> PackageResult:
    """Correct the playlist, verify everything, and describe the result."""
    name = f"{expected.rendition.name}p"
    inspection = inspect(folder / f"{name}.ts", work)
    if inspection.packets.get("video"):
        source_s = None if recipe.output_s is None else recipe.output_s - expected.first_frame_s
        correct_last_segment(folder / f"{name}.m3u8", stream_length_s(inspection.packets, source_s))
    return _describe(expected.rendition.name, folder, verify_package(expected, inspection, folder, work))


def _describe(name: str, folder: Path, verdict: Verdict) -> PackageResult:
    playlist = m3u8.loads((folder / f"{name}p.m3u8").read_text(encoding="utf-8"))
    sizes_bits = [8 * int(str(segment.byterange).split("@", maxsplit=1)[0]) for segment in playlist.segments]
    durations_s = [float(segment.duration) for segment in playlist.segments]
    duration_s = sum(durations_s)
    rates = [bits / max(seconds, SHORTEST_RATE_S) for bits, seconds in zip(sizes_bits, durations_s, strict=True)]
    return PackageResult(
        name=name,
        files=tuple(sorted(file.name for file in folder.iterdir())),
        duration_s=duration_s,
        peak_bps=round(max(rates, default=0)),
        average_bps=round(sum(sizes_bits) / max(duration_s, SHORTEST_RATE_S)),
        codecs=verdict.codecs,
        faults=verdict.faults,
    )
