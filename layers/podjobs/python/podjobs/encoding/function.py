"""The encoding function: one step in, one reply out."""

import posixpath

from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.ports import Storage, Tools
from podjobs.contract.steps import Step
from podjobs.encoding import info
from podjobs.encoding.audio import encode_audio
from podjobs.encoding.chunk import encode_chunk
from podjobs.encoding.images import make_images
from podjobs.encoding.package import package_rendition
from podjobs.encoding.plan import plan_job, plan_repackaged
from podjobs.encoding.publish import publish
from podjobs.encoding.recipe import Chunk, Recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.subtitles import make_subtitles
from podjobs.encoding.workspace import Workspace

MAKING = frozenset({"chunk", "audio", "subtitles", "package", "images"})
"""The actions that make files from the recipe."""


class EncodingFunction:
    """Performs the steps of encoding jobs.

    plan (→ repackage) → chunk, audio, subtitles → package, images → publish; or, when the job failed, report;
    when a newer one took its place, discard.
    """

    def __init__(self, tools: Tools, storage: Storage, settings: EncodingSettings) -> None:
        """Take the backends and settings that every step uses."""
        self._tools = tools
        self._storage = storage
        self._settings = settings

    def handle(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action.
            StepError: as the action says.
        """
        job = step.job
        if not isinstance(job, EncodingJob):
            raise InvalidRequestError(f"The encoding function does no jobs of type {job.type!r}.")
        work = Workspace(job.id, self._tools, self._storage, self._settings, step.timeout_s)
        match step.action:
            case "plan":
                return plan_job(job, work)
            case "repackage":
                return plan_repackaged(job, work)
            case "report":
                return self._report(job, step)
            case "discard":
                self._storage.remove_work(job.id)
                return Result(log=("A newer job took this one's place; its work files are removed.",))
            case "publish":
                return publish(job, step, Recipe.model_validate(step.shared), self._storage, self._settings)
        if step.action not in MAKING:
            raise InvalidRequestError(f"The encoding function has no action {step.action!r}.")
        return self._make(step, Recipe.model_validate(step.shared), work)

    def _make(self, step: Step, recipe: Recipe, work: Workspace) -> Result:
        match step.action:
            case "chunk":
                return encode_chunk(recipe, Chunk.model_validate(step.params), work)
            case "audio":
                return encode_audio(recipe, work)
            case "subtitles":
                return make_subtitles(recipe, work)
            case "package":
                rendition = recipe.renditions[int(step.params["rendition"])]
                return package_rendition(recipe, rendition, _frames(step, recipe), work)
            case _:
                frames = _frames(step, recipe)
                return make_images(recipe, [chunk for chunk in recipe.chunks if frames.get(chunk.name)], work)

    def _report(self, job: EncodingJob, step: Step) -> Result:
        """Leave the reason of a failure where Pod looks for the result, and remove the work files."""
        problem = step.failure or Problem(title="The job failed.", status=500, detail="No reason was given.")
        content = info.failure_info(job, self._storage.pod_path, step.accepted_at, problem)
        self._storage.write(posixpath.join(job.output_folder, info.NAME), info.dump(content))
        self._storage.remove_work(job.id)
        return Result(log=("The failure was reported in info_video.json.",))


def _frames(step: Step, recipe: Recipe) -> dict[str, int]:
    """Number of frames by chunk; none for a source without video."""
    if recipe.facts.video is None:
        return {}
    return {chunk.name: int(step.results[chunk.name]["frames"]) for chunk in recipe.chunks}
