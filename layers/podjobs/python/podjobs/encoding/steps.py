"""The steps of an encoding job: their ids, the work folders they fill, their weights and their stages. Pure.

    (repackage →) chunk…, audio, subtitles → package…, images → publish → the notification

A step that needs a work folder of its own uses its id as the name.
"""

import math
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.requests import DEFAULT_TIMEOUT_S
from podjobs.contract.workflows import PROGRESS_STEP, workflow_of
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.recipe import ASSUMED_FRAME_RATE, FREEZE_EVERY_S, Chunk, Recipe

FUNCTION = "encoding"

AUDIO_FOLDER = "audio"
SUBTITLES_FOLDER = "subtitles"
IMAGES_FOLDER = "images"
REPACKAGED_FOLDER = "source"
WATERMARK_FOLDER = "watermark"

ASSUMED_LENGTH_S = 60.0
"""Assumed length of a source whose header does not state it: only for the progress display."""
SLOWEST = 20
"""A machine may be this many times slower than a typical one before a step that cannot be divided times out."""


class PackageParams(BaseModel):
    """The parameters of a package step."""

    model_config = ConfigDict(frozen=True)

    rendition: int
    """Index of the rendition in the recipe's ladder."""


def chunk_id(chunk: Chunk) -> str:
    """The id of the step that encodes a chunk, and the folder of the chunk's files."""
    return _numbered(f"chunk-{chunk.number:04d}", chunk.generation)


def package_id(recipe: Recipe, rendition: Rendition) -> str:
    """The id of the step that packages a rendition, and the folder of the rendition's files."""
    return _numbered(f"package-{rendition.name}", recipe.generation)


def images_id(recipe: Recipe) -> str:
    """The id of the step that makes the pictures."""
    return _numbered("images", recipe.generation)


def _numbered(step_id: str, generation: int) -> str:
    """Ids are unique within a job forever: a step that is run again has a new one."""
    return f"{step_id}-{generation}" if generation else step_id


class Rate(NamedTuple):
    """How fast a typical machine performs an action."""

    per_s: float
    """Units of work per second; the unit depends on the action."""
    least_s: float = 0.1
    """Seconds that even the shortest step takes."""


RATES = {
    "repackage": Rate(5_000_000),  # bytes, read from a slow shared folder
    "chunk": Rate(60_000_000),  # pixels of all renditions, encoded by one core with the default tuning
    "audio": Rate(25),  # seconds of the output
    "subtitles": Rate(200),  # seconds of the main video's part
    "package": Rate(150, least_s=0.2),  # seconds of the output
    "images": Rate(math.inf, least_s=0.5),  # the same for any length
    "publish": Rate(math.inf, least_s=0.2),  # likewise: files are moved, not copied
}
"""Used for the progress display and for time limits."""


def specify(
    action: str, work: float = 0.0, *, step_id: str = "", params: dict[str, Any] | None = None,
    needs: tuple[str, ...] = (),
) -> StepSpec:  # fmt: skip
    """Specify a step.

    Args:
        action: what is done; also the step's id if none is given.
        work: how much of it, in the units of the action's rate.
        step_id: if there are several steps with this action.
        params: the step's own parameters.
        needs: actions whose results it receives.
    """
    rate = RATES[action]
    weight_s = max(rate.least_s, work / rate.per_s)
    return StepSpec(
        id=step_id or action,
        function=FUNCTION,
        action=action,
        params=params or {},
        weight=round(weight_s, 3),
        timeout_s=max(DEFAULT_TIMEOUT_S, math.ceil(weight_s * SLOWEST)),
        needs=needs,
    )


def repackage_stage(size_bytes: int, coding_s: float = 0.0) -> Stage:
    """The stage that precedes all others for non-seekable sources; its step replies with a new plan.

    Args:
        size_bytes: of the source.
        coding_s: expected for pictures that cannot be copied.
    """
    return Stage(name="repackage", steps=(specify("repackage", size_bytes + coding_s * RATES["repackage"].per_s),))


def stages_of(recipe: Recipe, job: EncodingJob) -> tuple[Stage, ...]:
    """The stages that follow the plan, including the notification of the job's sender.

    Args:
        recipe: in its second generation, sound and subtitles already exist.
        job: what was requested.
    """
    encode = _sound_and_text_steps(recipe)
    last = (_publish_stage(recipe), workflow_of(job).notification_stage)
    encode += _progress_steps(recipe, job)
    if recipe.facts.video is None:
        return (Stage(name="encode", steps=(*encode, _images_step(recipe, needs=()))), *last)
    if recipe.generation:
        encode = []
    encode += [_chunk_step(recipe, chunk) for chunk in recipe.chunks]
    package = [_package_step(recipe, index) for index in range(len(recipe.renditions))]
    package.append(_images_step(recipe, needs=("chunk", "audio")))
    return (Stage(name="encode", steps=tuple(encode)), Stage(name="package", steps=tuple(package)), *last)


def _progress_steps(recipe: Recipe, job: EncodingJob) -> list[StepSpec]:
    """Once, whoever requested the job is told that it goes on, if they may be: V5 would take it for a failure."""
    reply_to = job.reply_to
    may_be_told = isinstance(reply_to, RunnerCallback) and reply_to.dialect == "v4" and not recipe.generation
    return [PROGRESS_STEP] if may_be_told else []


def _sound_and_text_steps(recipe: Recipe) -> list[StepSpec]:
    steps = []
    if recipe.has_audio:
        steps.append(specify("audio", recipe.output_s or ASSUMED_LENGTH_S))
    if recipe.facts.text_subtitles:
        steps.append(specify("subtitles", recipe.duration_s or ASSUMED_LENGTH_S))
    return steps


def chunk_length_s(recipe: Recipe, chunk: Chunk, assumed_s: float) -> float:
    """How long a chunk should be.

    Args:
        recipe: the job.
        chunk: the part to encode.
        assumed_s: length of the output if it is unknown.
    """
    return (chunk.expected_end_s or recipe.output_s or assumed_s) - chunk.start_s


def chunk_pixels(recipe: Recipe, length_s: float, *, is_held: bool = False) -> float:
    """How many pixels of all renditions have to be encoded.

    Args:
        recipe: the job.
        length_s: of the chunk.
        is_held: whether it shows one frame all the time.
    """
    video = recipe.facts.video
    frame_rate = ((video.frame_rate if video else 0) or ASSUMED_FRAME_RATE) / recipe.decimation
    frame_px = sum(rendition.width_px * rendition.height_px for rendition in recipe.renditions)
    return length_s * (1 / FREEZE_EVERY_S if is_held else frame_rate) * frame_px


def _chunk_step(recipe: Recipe, chunk: Chunk) -> StepSpec:
    length_s = chunk_length_s(recipe, chunk, ASSUMED_LENGTH_S)
    pixels = chunk_pixels(recipe, length_s, is_held=recipe.is_held(chunk))
    # a plan has hundreds of them
    return specify("chunk", pixels, step_id=chunk_id(chunk), params=chunk.model_dump(exclude_defaults=True))


def _package_step(recipe: Recipe, index: int) -> StepSpec:
    return specify(
        "package",
        recipe.output_s or ASSUMED_LENGTH_S,
        step_id=package_id(recipe, recipe.renditions[index]),
        params=PackageParams(rendition=index).model_dump(),
        needs=("chunk", "audio"),
    )


def _images_step(recipe: Recipe, needs: tuple[str, ...]) -> StepSpec:
    return specify("images", step_id=images_id(recipe), needs=needs)


def _publish_stage(recipe: Recipe) -> Stage:
    needs = ("chunk", "audio", "subtitles", "package", "images")
    return Stage(
        name="publish", steps=(specify("publish", step_id=_numbered("publish", recipe.generation), needs=needs),)
    )
