"""Packages one rendition: its joined chunks and its sound become MP4 and HLS by stream copy, and are verified."""

import json
from collections.abc import Mapping
from pathlib import Path

import ffmpeg
import m3u8
from pydantic import BaseModel, ConfigDict

from podjobs.contract.errors import PermanentError
from podjobs.contract.plans import Result
from podjobs.encoding import audio
from podjobs.encoding.chapters import ffmetadata, output_chapters
from podjobs.encoding.join import open_joined
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.playlist import correct_last_segment, inspect, stream_length_s
from podjobs.encoding.recipe import TICKS_PER_S, Chunk, Recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.verify import Expectation, Verdict, verify_package
from podjobs.encoding.workspace import Workspace

PAT_PERIOD_S = 10
"""How often MPEG-TS tables are repeated within a segment, which begins with them; ffmpeg's 0.1 s is for broadcast."""
SHORTEST_RATE_S = 0.1
"""A bit rate is not computed over less: the last segment may hold a single frame."""


class Packaged(BaseModel):
    """What the master playlist and info_video.json need to know of a packaged rendition."""

    model_config = ConfigDict(frozen=True)

    name: str
    files: tuple[str, ...]
    frames: int
    duration_s: float
    peak_bps: int
    average_bps: int
    codecs: str
    faults: tuple[str, ...]
    """What did not verify; empty when all is well."""


def folder_name(recipe: Recipe, rendition: Rendition) -> str:
    """The step's id and the work folder of a packaged rendition."""
    return f"package-{rendition.name}" if not recipe.generation else f"package-{rendition.name}-{recipe.generation}"


def package_argv(
    rendition: Rendition, track: str | None, folder: str, settings: EncodingSettings, chapters: str | None = None
) -> list[str]:
    """The ffmpeg command that reads the joined chunks from stdin and writes HLS, and MP4 where it is wanted.

    Args:
        rendition: what to package.
        track: the rendition's sound, a file; None: the source has none.
        chapters: a metadata file with chapters; None: there are none.
        folder: where the files are written.
        settings: ffmpeg's name and the segment length.
    """
    # -copyts: keep both time lines as they are; they have the same origin.
    streams = [ffmpeg.input("pipe:0", f="nut", copyts=None, thread_queue_size=512)["v:0"]]
    if track is not None:
        streams.append(ffmpeg.input(track, protocol_whitelist="file")["a:0"])
    name = f"{rendition.name}p"
    outputs = [
        ffmpeg.output(
            *streams,
            f"{folder}/{name}.m3u8",
            c="copy",
            map_chapters=-1,
            f="hls",
            hls_time=settings.ffmpeg_hls_time,
            hls_playlist_type="vod",
            hls_flags="single_file",
            hls_segment_filename=f"{folder}/{name}.ts",
            hls_segment_options=f"pat_period={PAT_PERIOD_S}:sdt_period={PAT_PERIOD_S}",
        )
    ]
    if rendition.mp4:
        outputs.append(
            ffmpeg.output(
                *streams,
                f"{folder}/{name}.mp4",
                c="copy",
                f="mp4",
                movflags="+faststart",
                video_track_timescale=TICKS_PER_S,
                **{"map_metadata:g": -1},  # of the file; chapters keep their titles
            )
        )
    command = ffmpeg.merge_outputs(*outputs).global_args("-hide_banner", "-nostats", "-loglevel", "error", "-y")
    argv = list(command.compile(cmd=settings.ffmpeg_cmd))
    if chapters is not None:
        # ffmpeg-python knows no input without streams; ffmpeg takes chapters from whichever input has them
        after_inputs = len(argv) - argv[::-1].index("-i") + 1
        argv[after_inputs:after_inputs] = ["-f", "ffmetadata", "-i", chapters]
    return argv


def package_rendition(recipe: Recipe, rendition: Rendition, frames: Mapping[str, int], work: Workspace) -> Result:
    """Package one rendition, verify it, and leave its files in the job's work folder.

    Args:
        recipe: the job.
        rendition: what to package.
        frames: number of frames by chunk name.
        work: where and with what.

    Returns:
        A `Packaged`, as a dictionary.
    """
    chunks = [chunk for chunk in recipe.chunks if frames[chunk.name]]
    if not chunks:
        raise PermanentError("The source has no picture that can be decoded.")
    track = None
    if recipe.has_audio:
        track = work.path(f"{audio.FOLDER}/{audio.track_name(rendition.audio_bps)}")
    with work.writing(folder_name(recipe, rendition)) as folder:
        chapters = _write_chapters(recipe, folder)
        argv = package_argv(rendition, track, str(folder), work.settings, str(chapters) if chapters else None)
        work.run(argv, feed=open_joined(chunks, rendition, work))
        if chapters:
            chapters.unlink()
        expected = Expectation(
            rendition=rendition,
            frames=sum(frames.values()),
            first_frame_s=_first_frame_s(chunks[0], rendition, work),
            has_audio=track is not None,
        )
        packaged = _finish(recipe, expected, folder, work)
    return Result(values=packaged.model_dump())


def _write_chapters(recipe: Recipe, folder: Path) -> Path | None:
    chapters = output_chapters(recipe)
    if not chapters:
        return None
    file = folder / "chapters.txt"
    file.write_text(ffmetadata(chapters), encoding="utf-8")
    return file


def _first_frame_s(chunk: Chunk, rendition: Rendition, work: Workspace) -> float:
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-f", "nut", "-read_intervals", "%+#1"]
    argv += ["-show_entries", "packet=pts_time", "-print_format", "json"]
    packets = json.loads(work.run([*argv, "-i", work.path(f"{chunk.name}/{rendition.name}.nut")])).get("packets", [])
    return float(packets[0]["pts_time"]) if packets else 0.0


def _finish(recipe: Recipe, expected: Expectation, folder: Path, work: Workspace) -> Packaged:
    """Set the playlist right, verify everything, and say what was made."""
    name = f"{expected.rendition.name}p"
    inspection = inspect(folder / f"{name}.ts", work)
    if inspection.packets.get("video"):
        source_s = None if recipe.output_s is None else recipe.output_s - expected.first_frame_s
        correct_last_segment(folder / f"{name}.m3u8", stream_length_s(inspection.packets, source_s))
    return _describe(expected, folder, verify_package(expected, inspection, folder, work))


def _describe(expected: Expectation, folder: Path, verdict: Verdict) -> Packaged:
    name = expected.rendition.name
    playlist = m3u8.loads((folder / f"{name}p.m3u8").read_text(encoding="utf-8"))
    sizes_bits = [8 * int(str(segment.byterange).split("@", maxsplit=1)[0]) for segment in playlist.segments]
    durations_s = [float(segment.duration) for segment in playlist.segments]
    duration_s = sum(durations_s)
    rates = [bits / max(seconds, SHORTEST_RATE_S) for bits, seconds in zip(sizes_bits, durations_s, strict=True)]
    return Packaged(
        name=name,
        files=tuple(sorted(file.name for file in folder.iterdir())),
        frames=expected.frames,
        duration_s=duration_s,
        peak_bps=round(max(rates, default=0)),
        average_bps=round(sum(sizes_bits) / max(duration_s, SHORTEST_RATE_S)),
        codecs=verdict.codecs,
        faults=verdict.faults,
    )
