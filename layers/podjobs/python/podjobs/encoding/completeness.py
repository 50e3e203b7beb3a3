"""Compares the result with what was expected of the source, and says how long it is. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.encoding.recipe import TICKS_PER_S, Chunk, Recipe
from podjobs.encoding.results import ChunkResult, EarlierResults, PackageResult
from podjobs.encoding.steps import chunk_id

TOLERANCE_S = 1.0
"""Differences up to this are rounded, not told."""
LONGEST_FRAME_S = (2**31 - 1) / TICKS_PER_S
"""In MP4, the duration of a frame has 32 bits, one of which ffmpeg does not use."""
MOST_PLACES = 5
"""Missing frames are told one by one at so many places."""


def find_faults(results: EarlierResults, packages: Sequence[PackageResult]) -> tuple[str, ...]:
    """List what did not verify, or does not agree with the number of frames in the source's header.

    Args:
        results: of the chunks.
        packages: the packaged renditions.
    """
    recipe = results.recipe
    faults = [fault for package in packages for fault in package.faults]
    video = recipe.facts.video
    if video is None or not packages:
        return tuple(faults)
    frames = sum(results.frames.values())
    if frames == 0:
        faults.append("The source has no picture that can be decoded.")
    faults += find_holes(results)
    whole = not recipe.ends and recipe.origin_s <= video.start_s and not recipe.has_credits
    whole = whole and not recipe.freeze_first_s and not recipe.freeze_last
    # find_missing reports what is missing at the end; encoding it once more would not bring it back
    whole = whole and not find_missing(recipe, packages)
    if whole and video.frames is not None and abs(frames - video.frames / recipe.decimation) >= 1:
        kept = "" if recipe.decimation == 1 else f" (one in {recipe.decimation} is kept)"
        faults.append(f"The source's header says {video.frames} frames{kept}, but {frames} could be decoded.")
    return tuple(faults)


def find_holes(results: EarlierResults) -> tuple[str, ...]:
    """Report the frames of the source that are missing where chunks begin.

    A hole that the source has itself, such as a slide that is shown for minutes, is none.

    Args:
        results: of the chunks.
    """
    chunks = {chunk_id(chunk): chunk for chunk in results.recipe.chunks}
    holes = [(chunks[step_id], found) for step_id, found in results.chunks.items() if found.lost]
    if not holes:
        return ()
    places = [_describe_hole(chunk, found) for chunk, found in holes[:MOST_PLACES]]
    if len(holes) > MOST_PLACES:
        places.append(f"and {sum(found.lost for _, found in holes[MOST_PLACES:])} at later times")
    return (f"Frames of the source could not be decoded where they are expected: {', '.join(places)}.",)


def refuse_endless_frame(results: EarlierResults) -> None:
    """Refuse a picture that stands still for longer than a frame can be shown in MP4.

    Args:
        results: of the chunks.

    Raises:
        PermanentError: there is such a frame, as in files whose clock jumps.
    """
    pairs = ((chunk, results.chunks.get(chunk_id(chunk))) for chunk in results.recipe.chunks)
    firsts_s = [_first_s(chunk, found) for chunk, found in pairs if found is not None and found.frames]
    for before_s, next_s in pairwise(firsts_s):
        if next_s - before_s > LONGEST_FRAME_S:
            raise PermanentError(
                f"The source has no picture between {before_s / 3600:.1f} and {next_s / 3600:.1f} hours after its "
                "beginning; its clock seems to jump. Convert it and upload it again, or cut it there.",
                kind=FailureKind.DAMAGED,
            )


def _first_s(chunk: Chunk, found: ChunkResult) -> float:
    """Where a chunk that has frames shows the first one; it is not looked up in one that has all of them."""
    return chunk.start_s if found.first_s is None else found.first_s


def _describe_hole(chunk: Chunk, found: ChunkResult) -> str:
    end_s = chunk.end_s if found.first_s is None else found.first_s
    until = "" if end_s is None else f" to {end_s:.2f} s"
    return f"{found.lost} from {chunk.start_s:.2f} s{until}"


def find_missing(recipe: Recipe, packages: Sequence[PackageResult]) -> tuple[str, ...]:
    """Report how much could be read of a truncated source.

    Args:
        recipe: the job.
        packages: the packaged renditions.
    """
    expected_s, found_s = recipe.output_s, _longest_s(packages)
    if not packages or expected_s is None or found_s > expected_s - TOLERANCE_S:
        return ()
    promised = f"The source says it is {expected_s:.1f} s long, but only {found_s:.1f} s could be read"
    return (f"{promised}: it is cut off or damaged.",)


def find_missing_sound(recipe: Recipe, sound_s: float) -> tuple[str, ...]:
    """Report how much could be read of an audio-only recording.

    Args:
        recipe: the job.
        sound_s: length of the encoded sound.
    """
    expected_s = recipe.duration_s
    if recipe.facts.video is not None or expected_s is None or sound_s > expected_s - TOLERANCE_S:
        return ()
    return (f"{expected_s:.1f} s of sound were expected, but only {sound_s:.1f} s could be read.",)


def output_length_s(recipe: Recipe, packages: Sequence[PackageResult], sound_s: float) -> float:
    """Length of the published video or sound: what was measured at the plan, unless something else was encoded.

    Args:
        recipe: the job.
        packages: the packaged renditions.
        sound_s: length of the encoded sound.
    """
    if not packages:
        return sound_s
    expected_s, found_s = recipe.output_s, _longest_s(packages)
    if not expected_s or abs(found_s - expected_s) > TOLERANCE_S:
        return found_s
    return expected_s


def played_length_s(times_s: Sequence[float], sound_s: float, expected_s: float | None) -> float:
    """How long a stream plays.

    The last frame is shown as long as the one before it, and at least until the sound ends.

    Args:
        times_s: of the frames, or of the last ones, in any order.
        sound_s: where the sound ends.
        expected_s: the length of the source: unless frames or sound go on, nothing is longer, but damaged ones are
            shorter; None: unknown.
    """
    *before_s, last_s = sorted(times_s)
    frame_s = last_s - before_s[-1] if before_s else 0.0
    end_s = max(last_s + frame_s, sound_s)
    if expected_s is None or last_s > expected_s or sound_s > expected_s + TOLERANCE_S:
        return end_s
    # a single frame says nothing about its duration
    return expected_s if end_s == last_s else max(last_s, min(end_s, expected_s))


def _longest_s(packages: Sequence[PackageResult]) -> float:
    return max((package.duration_s for package in packages), default=0.0)
