"""Packages a composed recording: joined chunks and sound become one MP4 by stream copy, which is verified."""

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.plans import Result
from podjobs.encoding.commands import ffmpeg_argv
from podjobs.encoding.join import open_joined
from podjobs.encoding.limits import FACTOR, HIGHEST_SOUND_BPS, cpu_limit_s, file_limit_bytes
from podjobs.encoding.package import encoded_streams, mp4_output
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import AUDIO_FOLDER, RATES, chunk_id
from podjobs.encoding.verify import Expectation, check_ends, check_mp4
from podjobs.studio.context import StudioContext
from podjobs.studio.plan import GRID_S
from podjobs.studio.recipe import StudioRecipe
from podjobs.studio.results import PackageResult
from podjobs.studio.steps import PACKAGE_FOLDER, TRACK

NAME = "recording"
"""Of the file in the work folder, without its suffix."""


def package_argv(track: MediaInput | None, folder: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that reads the joined chunks from stdin and writes the MP4.

    Args:
        track: the sound; None: there is none.
        folder: where the file is written.
        settings: the ffmpeg command.
    """
    return ffmpeg_argv([mp4_output(encoded_streams(track), f"{folder}/{NAME}")], settings, feeds_stdin=True)


def package_recording(context: StudioContext) -> Result:
    """Package the recording, verify it, and leave it in the job's work folder.

    Raises:
        PermanentError: there is no picture, or the file does not verify.
        RetryableError: a chunk's file or the sound does not exist.
    """
    recipe, work, found = context.recipe, context.work, context.chunk_results
    chunks = [chunk for chunk in recipe.chunks if found[chunk_id(chunk)].frames]
    if not chunks:
        detail = "The sources have no picture that can be decoded. Convert them and upload them again."
        raise PermanentError(detail, kind=FailureKind.DAMAGED)
    track = work.input_of(f"{AUDIO_FOLDER}/{TRACK}") if context.audio_result.files else None
    frames = sum(one.frames for one in found.values())
    with work.writing(PACKAGE_FOLDER) as folder:
        work.run(
            package_argv(track, str(folder), work.settings),
            access=Access((track,) if track else (), folder),
            feed=open_joined(chunks, recipe.rendition, work),
            limits=_limits(recipe, work.settings),
        )
        file = folder / f"{NAME}.mp4"
        expected = Expectation(
            rendition=recipe.rendition,
            frames=frames,
            first_frame_s=found[chunk_id(chunks[0])].first_s or 0.0,
            has_audio=track is not None,
        )
        # the last key frame is no further from the end
        faults = [*check_mp4(expected, file, work), *check_ends(file, "mov", GRID_S, work)]
        if faults:
            raise PermanentError("The composed file did not verify: " + " ".join(faults))
        notes = _tell_missing(recipe, frames)
        return PackageResult(frames=frames, size_bytes=file.stat().st_size, notes=notes).reply(notes)


def _tell_missing(recipe: StudioRecipe, frames: int) -> tuple[str, ...]:
    if recipe.frames is None or frames == recipe.frames:
        return ()
    return (f"{recipe.frames} frames were expected, {frames} were composed: a source is damaged there.",)


def _limits(recipe: StudioRecipe, settings: EncodingSettings) -> CommandLimits:
    rate_bps = recipe.rendition.maxrate_bps + HIGHEST_SOUND_BPS
    file_bytes = file_limit_bytes(rate_bps, recipe.duration_s, settings)
    return CommandLimits(cpu_limit_s(recipe.duration_s / RATES["package"].per_s), file_bytes, FACTOR)
