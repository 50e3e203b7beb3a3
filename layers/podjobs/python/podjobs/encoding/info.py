"""Writes info_video.json: what Pod reads when it imports an encoded video. Pure, except for the clock.

Source: docs/contract-pod.md, files expected.
"""

import json
import posixpath
import time
from collections.abc import Callable, Sequence
from typing import Any

from podjobs.contract.errors import Problem
from podjobs.contract.failure_sentences import Language, tell_details, tell_failure
from podjobs.contract.jobs import Cut, EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.encoding.audio import published_m4a, published_mp3
from podjobs.encoding.completeness import output_length_s
from podjobs.encoding.context import EncodingContext
from podjobs.media.facts import MediaFacts

NAME = "info_video.json"

PodPathOf = Callable[[Key], str]
"""Maps a key to the absolute path as Pod sees it."""


def empty_info(job: EncodingJob, pod_path: PodPathOf, started_at: float) -> dict[str, Any]:
    """All fields that Pod knows, empty, and two of ours.

    Args:
        job: what was requested.
        pod_path: of the storage.
        started_at: when the job was accepted, seconds since the epoch.
    """
    cut = job.cut or Cut()
    return {
        # Pod expects its own id of the video
        "id": int(job.target) if job.target.isdecimal() else job.target,
        "job_id": job.id,
        # whether another job's is the newer one
        "accepted_at": started_at,
        "video_file": pod_path(job.source),
        "output_dir": pod_path(job.output_folder),
        "start": time.ctime(started_at),
        "stop": time.ctime(),
        "duration": 0,
        "cutting_start": cut.start_s,
        "cutting_stop": cut.end_s or 0,
        "list_video_track": {},
        "list_audio_track": {},
        "list_subtitle_track": {},
        "list_image_track": {},
        "list_mp4_files": {},
        "list_hls_files": {},
        "list_mp3_files": {},
        "list_m4a_files": {},
        "list_thumbnail_files": {},
        "list_overview_files": {},
        "list_subtitle_files": {},
        "encoding_log": {},
        "error_encoding": False,
    }


def tracks_of(facts: MediaFacts) -> dict[str, Any]:
    """The `list_*_track` fields, keyed by stream index."""
    video, audio = facts.video, facts.audio
    return {
        "list_video_track": {str(video.index): {"width": video.width_px, "height": video.height_px}} if video else {},
        "list_audio_track": {str(audio.index): {"sample_rate": str(audio.sample_rate_hz), "channels": audio.channels}}
        if audio
        else {},
        "list_subtitle_track": {str(subtitle.index): {"language": subtitle.language} for subtitle in facts.subtitles},
        "list_image_track": {
            str(picture.index): {"width": picture.width_px, "height": picture.height_px} for picture in facts.pictures
        },
    }


def success_info(context: EncodingContext, files: Sequence[str], log: Sequence[str]) -> dict[str, Any]:
    """The content after a successful job.

    Args:
        context: the job, and the results of its steps.
        files: names in the video's folder.
        log: sentences about what is missing or did not verify without making the result useless.
    """
    job, recipe, results, settings = context.job, context.recipe, context.results, context.work.settings
    pod_path, packages = context.work.storage.pod_path, results.packages

    def place(name: str) -> str:
        return pod_path(posixpath.join(job.output_folder, name))

    def audio_files(name: str) -> dict[str, str]:
        return {settings.ffmpeg_audio_bitrate: place(name)} if name in files else {}

    thumbnails = [name for name in files if name.startswith("thumbnail_")]
    overview = [name for name in files if name.startswith("overview.")]
    notes = [*results.audio.notes, *results.subtitles.notes, *results.images.notes]
    sentences = [*recipe.log, *notes, *log] or ["All files were created and verified."]
    return (
        empty_info(job, pod_path, context.step.accepted_at)
        | tracks_of(recipe.facts if results.audio.files else recipe.facts.model_copy(update={"audio": None}))
        | {
            # rounded first: a difference of two times may be a hair below a whole second
            "duration": int(round(output_length_s(recipe, packages, results.audio.duration_s), 3)),
            "list_mp4_files": {one.name: place(f"{one.name}p.mp4") for one in packages if f"{one.name}p.mp4" in files},
            "list_hls_files": {one.name: place(f"{one.name}p.m3u8") for one in packages},
            "list_mp3_files": audio_files(published_mp3(settings)),
            "list_m4a_files": audio_files(published_m4a(settings)),
            "list_thumbnail_files": {str(number): place(name) for number, name in enumerate(thumbnails, start=1)},
            "list_overview_files": {str(number): place(name) for number, name in enumerate(sorted(overview))},
            "list_subtitle_files": {
                str(file.stream): [file.language, place(file.name)] for file in results.subtitles.files
            },
            "encoding_log": {"encoding": {"command": "", "result": True, "msg": "\n".join(sentences)}},
        }
    )


def failure_info(
    job: EncodingJob, pod_path: PodPathOf, started_at: float, problem: Problem, language: Language
) -> dict[str, Any]:
    """The report of a job that failed for good: nothing to import, but the reason in `encoding_log`.

    Args:
        job: what was requested.
        pod_path: of the storage.
        started_at: when the job was accepted, seconds since the epoch.
        problem: why it failed.
        language: of the sentence for whoever has uploaded the video.
    """
    argv = problem.context.get("argv", [])
    said = (
        tell_failure(problem, job.type, language),
        tell_details(problem, language),
        str(problem.context.get("stderr", "")),
    )
    message = "\n".join(text for text in said if text)
    return empty_info(job, pod_path, started_at) | {
        "error_encoding": True,
        "encoding_log": {"error": {"command": " ".join(map(str, argv)), "result": False, "msg": message}},
    }


def dump(info: dict[str, Any]) -> bytes:
    """The file's content."""
    return json.dumps(info, indent=2, ensure_ascii=False).encode()
