"""Applies a dressing to a recipe: probes the credits, and converts the watermark for all chunks to read."""

import shutil

from podjobs.contract.commands import Access, CommandLimits
from podjobs.contract.errors import MissingFileError, PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import DressingRequest
from podjobs.contract.media_paths import Key
from podjobs.encoding.commands import OVERWRITE
from podjobs.encoding.ladder import choose_renditions
from podjobs.encoding.limits import LEAST_CPU_S, WATERMARK_FILE
from podjobs.encoding.picture import choose_decimation
from podjobs.encoding.recipe import TICKS_PER_S, Credit, Recipe, Watermark
from podjobs.encoding.selection import copy_selection
from podjobs.encoding.steps import WATERMARK_FOLDER
from podjobs.encoding.survey import survey_pictures
from podjobs.encoding.time_line import stops_early
from podjobs.encoding.workspace import Workspace
from podjobs.media.bounds import without_metadata
from podjobs.media.commands import UNATTENDED
from podjobs.media.lengths import measure_source
from podjobs.media.probe import probe_source

FILE = "watermark.png"
PICTURE_FORMATS = "png_pipe,jpeg_pipe,webp_pipe,gif,bmp_pipe,tiff_pipe"
"""Pictures are read under a name without a suffix: ffmpeg then goes by their content and looks for no other files."""
CREDITS = {"opening": FailureKind.OPENING_CREDITS, "ending": FailureKind.ENDING_CREDITS}
"""Which credits → what people are told when they cannot be used."""
LARGEST_PX = 1024
"""A watermark is a tenth of the picture's height: more pixels would never be seen."""


def apply_dressing(recipe: Recipe, dressing: DressingRequest, work: Workspace) -> Recipe:
    """Add credits and watermark to a recipe.

    Args:
        recipe: of the undressed video.
        dressing: what was requested.
        work: the step's workspace.

    Raises:
        PermanentError: credits or watermark cannot be used.
        RetryableError: they do not exist (yet).
    """
    video = recipe.facts.video
    if video is None:
        return recipe.model_copy(update={"log": (*recipe.log, "The recording has no picture, so it is not dressed.")})
    opening = _read_credit("opening", dressing.opening, work) if dressing.opening else None
    ending = _read_credit("ending", dressing.ending, work) if dressing.ending else None
    if (opening or ending) and recipe.duration_s is None:
        raise PermanentError(
            "The length of the video cannot be determined, so nothing can be shown after it. "
            "Convert the video and upload it again, or choose a dressing without credits.",
            kind=FailureKind.DRESSING,
        )
    parts = [(video, recipe.decimation)]
    parts += [(credit.facts.video, credit.decimation) for credit in (opening, ending) if credit and credit.facts.video]
    frame_rate = max(part.frame_rate / decimation for part, decimation in parts)
    return recipe.model_copy(
        update={
            "opening": opening,
            "ending": ending,
            "watermark": _prepare_watermark(dressing, dressing.watermark, work) if dressing.watermark else None,
            "duration_s": None if recipe.duration_s is None else _on_grid(recipe.duration_s),
            "renditions": choose_renditions(video, work.settings, frame_rate),
        }
    )


def _read_credit(which: str, key: Key, work: Workspace) -> Credit:
    try:
        return _examine_credit(which, key, work)
    except (PermanentError, MissingFileError) as error:
        error.kind = CREDITS[which]  # nothing is wrong with the video
        raise


def _examine_credit(which: str, key: Key, work: Workspace) -> Credit:
    name = work.storage.pod_path(key)
    facts = probe_source(work.tools, work.storage, work.settings, key)
    if facts.selection is not None:
        # credits are short: the step that plans the job can copy them
        key = copy_selection(facts, key, which, work)
        facts = probe_source(work.tools, work.storage, work.settings, key)
    video = facts.video
    if video is None:
        raise PermanentError(f"The {which} credits {name!r} have no video. Choose others in the dressing.")
    # credits are short: those that cannot be seeked are read to the end
    facts = measure_source(key, facts, work, whole=facts.seeks_badly or facts.duration_s is None).facts
    facts = survey_pictures(key, facts, work)
    video = facts.video
    if video is None or facts.duration_s is None:
        raise PermanentError(f"The length of the {which} credits {name!r} is unknown. Choose others in the dressing.")
    length_s = facts.duration_s - (video.start_s - facts.start_s)
    return Credit(
        source=key,
        facts=without_metadata(facts),
        length_s=_on_grid(length_s),
        decimation=choose_decimation(video.frame_rate, work.settings.podjobs_max_frame_rate),
        freeze_last=stops_early(video, video.start_s + length_s),
    )


def _on_grid(length_s: float) -> float:
    """Round to a tick of our video's clock, on which the next part begins."""
    return round(length_s * TICKS_PER_S) / TICKS_PER_S


def _prepare_watermark(dressing: DressingRequest, key: Key, work: Workspace) -> Watermark:
    argv = [work.settings.ffmpeg_cmd, *UNATTENDED, *OVERWRITE]
    # A file that claims to be a picture may be a script that names other files: those must not be opened.
    argv += ["-protocol_whitelist", "file", "-format_whitelist", PICTURE_FORMATS]
    argv += ["-max_pixels", str(work.settings.podjobs_max_pixels)]
    size = f"w='min({LARGEST_PX},iw)':h='max(1,round(ih*min({LARGEST_PX},iw)/iw))'"
    # -frames:v 1: the first picture of an animation. -update 1: the file's name is not a pattern.
    output = ["-frames:v", "1", "-vf", f"scale={size},format=rgba", "-c:v", "png", "-f", "image2", "-update", "1"]
    with work.writing(WATERMARK_FOLDER) as folder:
        nameless = folder / "picture"
        try:
            with work.storage.open(key) as uploaded, nameless.open("wb") as copy:
                shutil.copyfileobj(uploaded, copy)
        except MissingFileError as error:
            error.kind = FailureKind.WATERMARK
            raise
        try:
            limits = CommandLimits(LEAST_CPU_S, WATERMARK_FILE)
            work.run(
                [*argv, "-i", str(nameless), *output, str(folder / FILE)], access=Access(folder=folder), limits=limits
            )
        except PermanentError as error:
            name = work.storage.pod_path(key)
            detail = f"The watermark {name!r} is not a picture that can be read. Choose another one in the dressing."
            raise PermanentError(detail, kind=FailureKind.WATERMARK, **error.context) from error
        nameless.unlink()
    picture = work.key(f"{WATERMARK_FOLDER}/{FILE}")
    return Watermark(picture=picture, position=dressing.position, opacity=dressing.opacity)
