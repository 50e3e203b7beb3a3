"""The steps of a studio job: their ids, weights and stages. Pure.

(repackage →) chunk…, audio → package → publish → the notification
"""

from collections.abc import Mapping
from typing import Any

from podjobs.contract.jobs import StudioJob
from podjobs.contract.plans import Stage, StepSpec
from podjobs.contract.workflows import workflow_of
from podjobs.encoding.limits import DECODED_PX_PER_S
from podjobs.encoding.recipe import ASSUMED_FRAME_RATE, Chunk
from podjobs.encoding.steps import RATES, chunk_id, specify
from podjobs.studio.recipe import SourceName, StudioRecipe

PACKAGE_FOLDER = "package"
TRACK = "sound.m4a"
COMPOSING = "compose-"
"""How the ids of steps begin of a job that goes on as an encoding."""


def copy_folder(name: SourceName) -> str:
    """The folder of a source's copy in the job's work folder."""
    return f"source-{name}"


def stages_of(recipe: StudioRecipe, job: StudioJob) -> tuple[Stage, ...]:
    """The stages that follow the plan, including the notification of the job's sender.

    Args:
        recipe: what is composed.
        job: what was requested.
    """
    compose = [_chunk_step(recipe, chunk) for chunk in recipe.chunks]
    if recipe.sounds:
        compose.append(specify("audio", recipe.duration_s * len(recipe.sounds)))
    needs = ("chunk", "audio")
    stages = (
        Stage(name="compose", steps=tuple(compose)),
        Stage(name="package", steps=(specify("package", recipe.duration_s, needs=needs),)),
        Stage(name="publish", steps=(specify("publish", needs=(*needs, "package")),)),
    )
    # one that is encoded next is notified of then
    last = () if job.mediapackage else (workflow_of(job).notification_stage,)
    return (*(named(stage, job) for stage in stages), *last)


def named(stage: Stage, job: StudioJob) -> Stage:
    """A stage whose steps have ids of their own if the same job goes on as an encoding, which has such steps, too.

    Args:
        stage: with the usual ids.
        job: what was requested.
    """
    if job.mediapackage is None:
        return stage
    steps = tuple(step.model_copy(update={"id": f"{COMPOSING}{step.id}"}) for step in stage.steps)
    return stage.model_copy(update={"steps": steps})


def usual_ids(results: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The results of steps by their usual ids."""
    return {step_id.removeprefix(COMPOSING): values for step_id, values in results.items()}


def chunk_cost_s(recipe: StudioRecipe, chunk: Chunk) -> float:
    """Processor time that a chunk can be expected to take, in seconds of a typical machine.

    Args:
        recipe: what is composed.
        chunk: the part.
    """
    length_s = (chunk.end_s or recipe.duration_s) - chunk.start_s
    decoded_px = sum(
        picture.video.width_px * picture.video.height_px * (picture.video.frame_rate or ASSUMED_FRAME_RATE)
        for picture in recipe.pictures
    )
    size_px = recipe.rendition.width_px * recipe.rendition.height_px
    encoded_px = size_px * (recipe.frame_rate or recipe.pictures[0].video.frame_rate or ASSUMED_FRAME_RATE)
    return length_s * (decoded_px / DECODED_PX_PER_S + encoded_px / RATES["chunk"].per_s)


def _chunk_step(recipe: StudioRecipe, chunk: Chunk) -> StepSpec:
    work = chunk_cost_s(recipe, chunk) * RATES["chunk"].per_s
    return specify("chunk", work, step_id=chunk_id(chunk), params=chunk.model_dump(exclude_defaults=True))
