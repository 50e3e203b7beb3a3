"""What a job's result consists of, under which names: as its sender imports it. Pure, except for the clock.

    Pod's own folder             a runner client's result folder (`base`: the source's name without its suffix)
    360p.mp4                     360p_base.mp4
    360p.m3u8, 360p.ts           360p_base.m3u8, 360p_base.ts
    livestream.m3u8              -, Pod writes its own
    audio_192k.mp3, .m4a         audio_192k_base.mp3, .m4a
    thumbnail_0001.png …         base_0.png …
    overview.png, .vtt           overview.png, .vtt
    subtitle_0_fr.vtt            -, Pod would not import it
    info_video.json              info_video.json, with other fields
    -                            encoding.log

Source: docs/contract-pod.md, files expected; docs/contract-pod-runner.md, rows h and n.
"""

import posixpath
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from podjobs.contract.jobs import EncodingJob
from podjobs.contract.reply_to import RunnerCallback
from podjobs.encoding.completeness import output_length_s
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.results import ImagesResult, PackageResult
from podjobs.encoding.settings import EncodingSettings

LOG_NAME = "encoding.log"
MP3, M4A = ".mp3", ".m4a"
_STREAM = re.compile(r"\d+p\.(?:mp4|m3u8|ts)")
_AUDIO = re.compile(r"audio_\d+k\.(?:mp3|m4a)")
_OVERVIEW = re.compile(r"overview\.(?:png|vtt)")


def is_for_runner(job: EncodingJob) -> bool:
    """Whether the result is fetched by a runner client, which has names and an info_video.json of its own."""
    return isinstance(job.reply_to, RunnerCallback)


def base_of(job: EncodingJob) -> str:
    """What the names of a runner client's files have in common."""
    return posixpath.splitext(posixpath.basename(job.source))[0] or "video"


def runner_names(names: Iterable[str], images: ImagesResult, base: str) -> dict[str, str]:
    """The names for a runner client.

    Args:
        names: of the files of a job, as in Pod's own folder.
        images: tells the order of the thumbnails: the first is the video's.
        base: what the names have in common.

    Returns:
        Pod's name → the client's; what it would not import is missing.
    """
    numbers = {name: number for number, name in enumerate(images.thumbnails)}
    found: dict[str, str] = {}
    for name in names:
        stem, suffix = posixpath.splitext(name)
        if _STREAM.fullmatch(name) or _AUDIO.fullmatch(name):
            found[name] = f"{stem}_{base}{suffix}"
        elif name in numbers:
            found[name] = f"{base}_{numbers[name]}{suffix}"
        elif _OVERVIEW.fullmatch(name):
            found[name] = name
    return found


def renamed_playlist(playlist: str, names: Mapping[str, str]) -> str:
    """A playlist whose stream has another name now.

    Args:
        playlist: the text.
        names: old name → new name.
    """
    return "\n".join(names.get(line, line) for line in playlist.split("\n"))


def runner_info(context: EncodingContext, names: Sequence[str]) -> dict[str, Any]:
    """The info_video.json of a runner client's result.

    Args:
        context: the job, and the results of its steps.
        names: of the files, as the client sees them.
    """
    job, recipe, results = context.job, context.recipe, context.results
    base = base_of(job)
    # what a rendition is called that is not among the settings any more: by its size
    sizes = {one.name: f"{one.width_px}x{one.height_px}" for one in recipe.renditions}
    resolutions = sizes | _resolutions(context.work.settings)
    audio = sorted(name for name in names if name.startswith("audio_"))
    pictures = sorted(name for name in names if name.startswith(f"{base}_") and name.endswith(".png"))
    length_s = output_length_s(recipe, results.packages, results.audio.duration_s)
    return {
        "job_id": job.id,
        "accepted_at": context.step.accepted_at,
        "stop": time.ctime(),
        "duration": int(round(length_s, 3)),
        "has_stream_video": bool(results.packages),
        "has_stream_audio": bool(audio),
        "has_stream_thumbnail": bool(pictures),
        "encode_video": [
            entry for one in results.packages for entry in _video_entries(one, base, resolutions[one.name], names)
        ],
        "encode_audio": [
            {"encoding_format": "audio/mp3" if name.endswith(MP3) else "video/mp4", "filename": name} for name in audio
        ],
        "encode_thumbnail": [{"filename": name} for name in pictures],
        "error_encoding": False,
    }


def _video_entries(package: PackageResult, base: str, resolution: str, names: Sequence[str]) -> list[dict[str, str]]:
    files = {"video/mp2t": f"{package.name}p_{base}.m3u8", "video/mp4": f"{package.name}p_{base}.mp4"}
    return [
        {"encoding_format": kind, "rendition": resolution, "filename": name}
        for kind, name in files.items()
        if name in names
    ]


def _resolutions(settings: EncodingSettings) -> dict[str, str]:
    """By the name of a rendition, what Pod calls it."""
    return {str(one.height_px): one.resolution for one in settings.video_renditions}


def heights_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """The nominal heights of the renditions, as either info_video.json states them."""
    if "list_hls_files" in info:
        return tuple(sorted(int(name) for name in info["list_hls_files"]))
    return tuple(sorted({int(one["rendition"].split("x")[1]) for one in info["encode_video"]}))
