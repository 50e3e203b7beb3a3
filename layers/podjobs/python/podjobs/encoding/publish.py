"""Publishes what was packaged: the files take their places, info_video.json comes last, old files go after that."""

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import m3u8

from podjobs.contract.errors import PermanentError, RetryableError
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports import Storage
from podjobs.contract.steps import Step
from podjobs.encoding import audio, images, info, subtitles
from podjobs.encoding.package import Packaged, folder_name
from podjobs.encoding.plan import stages_of
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.settings import EncodingSettings

MASTER = "livestream.m3u8"
MISSING_S = 1.0
"""Headers are less exact than that."""
OURS = re.compile(
    r"(\d+p\.(mp4|m3u8|ts)|livestream\d*\.m3u8|audio_\d+k\.(mp3|m4a)|thumbnail_\d+\.png|overview\.(png|vtt)"
    r"|subtitle_.*\.vtt)"
)
"""Files an encoder leaves in a video's folder: those that a new encode does not replace are removed."""


def publish(
    job: EncodingJob, step: Step, recipe: Recipe, storage: Storage, settings: EncodingSettings
) -> Plan | Result:
    """Put the files of a job in their places; safe to repeat at any point.

    Args:
        job: what Pod asked for.
        step: the results of its steps.
        recipe: how it was made.
        storage: holds the files.
        settings: names of the audio files.

    Returns:
        A result; or, when the packaged renditions do not verify, the plan to encode the source once more in one piece.

    Raises:
        PermanentError: even that did not verify.
    """
    results = step.results
    target = job.output_folder
    if not storage.has_work(job.id) and _is_published(job, target, storage):
        storage.remove_work(job.id)
        return Result(log=("The files were published before.",))
    packaged = [Packaged.model_validate(results[folder_name(recipe, rendition)]) for rendition in recipe.renditions]
    faults = find_faults(recipe, packaged, results)
    if faults and recipe.facts.video is not None and not recipe.generation:
        again = recipe.model_copy(update={"generation": 1})
        log = (*faults, "The chunks did not verify; the source is encoded once more in one piece.")
        return Plan(shared=again.model_dump(mode="json"), stages=stages_of(again, job), log=log)
    serious = [fault for rendition in packaged for fault in rendition.faults]
    if serious:
        raise PermanentError("The encoded files did not verify: " + " ".join(serious))

    files = _collect(recipe, packaged, results, storage, job_id=job.id)
    if packaged:
        storage.write(posixpath.join(target, MASTER), master_playlist(recipe, packaged).encode())
    for name, source in files.items():
        _take_place(source, posixpath.join(target, name), storage)
    sound_s = results.get("audio", {}).get("duration_s", 0.0)
    log = (*faults, *find_missing(recipe, packaged), *find_missing_sound(recipe, sound_s))
    content = describe(job, step, Outcome(recipe, packaged, list(files), log), storage.pod_path, settings)
    storage.write(posixpath.join(target, info.NAME), info.dump(content))
    keep = {*files, info.NAME} | ({MASTER} if packaged else set())
    for key in storage.list_files(target):
        if posixpath.basename(key) not in keep and OURS.fullmatch(posixpath.basename(key)):
            storage.delete(key)
    storage.remove_work(job.id)
    return Result(values={"files": sorted(keep)}, log=log)


def find_faults(
    recipe: Recipe, packaged: Sequence[Packaged], results: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    """Compare what was packaged with itself and with what the source's header says. Pure."""
    faults = [fault for rendition in packaged for fault in rendition.faults]
    video = recipe.facts.video
    if video is None or not packaged:
        return tuple(faults)
    frames = sum(results[chunk.name]["frames"] for chunk in recipe.chunks)
    if frames == 0:
        faults.append("The source has no picture that can be decoded.")
    whole = not recipe.ends and recipe.origin_s <= video.start_s and not recipe.has_credits
    whole = whole and not recipe.held_before_s and not recipe.held_to_end
    # what is missing at the end is told by find_missing; encoding it once more would not bring it back
    whole = whole and not find_missing(recipe, packaged)
    if whole and video.frames is not None and abs(frames - video.frames / recipe.kept_of) >= 1:
        kept = "" if recipe.kept_of == 1 else f" (one of {recipe.kept_of} is kept)"
        faults.append(f"The source says it holds {video.frames} frames{kept}; {frames} could be decoded.")
    return tuple(faults)


def find_missing(recipe: Recipe, packaged: Sequence[Packaged]) -> tuple[str, ...]:
    """Say how much of a source that is cut off could be read. Pure."""
    expected_s, found_s = recipe.output_s, _length_s(packaged)
    if not packaged or expected_s is None or found_s > expected_s - MISSING_S:
        return ()
    told = f"The source says it is {expected_s:.1f} s long, but only {found_s:.1f} s could be read"
    return (f"{told}: it is cut off or damaged.",)


def find_missing_sound(recipe: Recipe, sound_s: float) -> tuple[str, ...]:
    """Say how much of a recording without picture could be read. Pure."""
    expected_s = recipe.duration_s
    if recipe.facts.video is not None or expected_s is None or sound_s > expected_s - MISSING_S:
        return ()
    return (f"{expected_s:.1f} s of sound were expected, but only {sound_s:.1f} s could be read.",)


def _length_s(packaged: Sequence[Packaged]) -> float:
    return max((made.duration_s for made in packaged), default=0.0)


def _is_published(job: EncodingJob, target: Key, storage: Storage) -> bool:
    key = posixpath.join(target, info.NAME)
    if not storage.exists(key):
        return False
    with storage.open(key) as file:
        try:
            return bool(json.load(file).get("job_id") == job.id)
        except (ValueError, AttributeError):
            return False


def _collect(
    recipe: Recipe, packaged: Sequence[Packaged], results: Mapping[str, Mapping[str, Any]], storage: Storage,
    *, job_id: str,
) -> dict[str, Key]:  # fmt: skip
    """Published name to work file; a playlist comes after the stream it describes."""
    files: dict[str, Key] = {}
    for rendition, made in zip(recipe.renditions, packaged, strict=True):
        folder = folder_name(recipe, rendition)
        for name in sorted(made.files, key=lambda name: name.endswith(".m3u8")):
            files[name] = storage.work_key(job_id, f"{folder}/{name}")
    for name in results.get("audio", {}).get("files", ()):
        if name.startswith("audio_"):
            files[name] = storage.work_key(job_id, f"{audio.FOLDER}/{name}")
    for _, _, name in results.get("subtitles", {}).get("files", ()):
        files[name] = storage.work_key(job_id, f"{subtitles.FOLDER}/{name}")
    pictures = results[f"images-{recipe.generation}" if recipe.generation else "images"]
    for name in (*pictures["thumbnails"], *pictures["overview"]):
        files[name] = storage.work_key(job_id, f"{images.FOLDER}/{name}")
    return files


def _take_place(source: Key, target: Key, storage: Storage) -> None:
    if storage.exists(source):
        storage.move(source, target)
    elif not storage.exists(target):
        raise RetryableError(f"The work file {source!r} is gone before it was published.")


def master_playlist(recipe: Recipe, packaged: Sequence[Packaged]) -> str:
    """The master playlist, lowest rendition first. Source: RFC 8216, section 4.3.4.2."""
    master = m3u8.M3U8()
    master.version = 4
    for rendition, made in zip(recipe.renditions, packaged, strict=True):
        stream = {
            "bandwidth": made.peak_bps,
            "average_bandwidth": made.average_bps,
            "codecs": made.codecs,
            "resolution": f"{rendition.width_px}x{rendition.height_px}",
        }
        master.add_playlist(m3u8.Playlist(f"{rendition.name}p.m3u8", stream, [], ""))
    return str(master.dumps())


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    recipe: Recipe
    packaged: Sequence[Packaged]
    files: Sequence[str]
    """Names in the video's folder."""
    faults: Sequence[str]
    """What is missing or did not verify, but does not spoil the result."""


def describe(
    job: EncodingJob, step: Step, outcome: Outcome, pod_path: info.PodPathOf, settings: EncodingSettings
) -> dict[str, Any]:
    """The content of info_video.json. Pure but for the clock.

    Args:
        job: what Pod asked for.
        step: the results of its steps.
        outcome: what became of it.
        pod_path: of the storage.
        settings: names of the audio files.
    """
    files, packaged = outcome.files, outcome.packaged

    def place(name: str) -> str:
        return pod_path(posixpath.join(job.output_folder, name))

    def named(names: Sequence[str]) -> dict[str, str]:
        return {str(number): place(name) for number, name in enumerate(names, start=1)}

    def audio_files(name: str) -> dict[str, str]:
        return {settings.ffmpeg_audio_bitrate: place(name)} if name in files else {}

    thumbnails = [name for name in files if name.startswith("thumbnail_")]
    overview = [name for name in files if name.startswith("overview.")]
    measured_s = _length_s(packaged)
    expected_s = outcome.recipe.output_s
    if expected_s is not None and packaged and measured_s < expected_s - MISSING_S:
        expected_s = measured_s
    sound_s = step.results.get("audio", {}).get("duration_s") or 0.0
    log = [*outcome.recipe.log, *outcome.faults] or ["All files were made and verified."]
    return (
        info.empty_info(job, pod_path, step.accepted_at)
        | info.tracks_of(outcome.recipe.facts)
        | {
            "duration": int((expected_s or measured_s) if packaged else sound_s),
            "list_mp4_files": {
                made.name: place(f"{made.name}p.mp4") for made in packaged if f"{made.name}p.mp4" in files
            },
            "list_hls_files": {made.name: place(f"{made.name}p.m3u8") for made in packaged},
            "list_mp3_files": audio_files(audio.published_mp3(settings)),
            "list_m4a_files": audio_files(audio.published_m4a(settings)),
            "list_thumbnail_files": named(thumbnails),
            "list_overview_files": {str(number): place(name) for number, name in enumerate(sorted(overview))},
            "list_subtitle_files": {
                str(index): [language, place(name)]
                for index, language, name in step.results.get("subtitles", {}).get("files", ())
            },
            "encoding_log": {"encoding": {"command": "", "result": True, "msg": "\n".join(log)}},
        }
    )
