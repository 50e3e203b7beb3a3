"""The encoding function: one step in, one reply out."""

import posixpath

from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.ports import Storage, Tools
from podjobs.contract.steps import Plan, Result, Step
from podjobs.encoding import info
from podjobs.encoding.audio import encode_audio
from podjobs.encoding.chunk import encode_chunk
from podjobs.encoding.images import make_images
from podjobs.encoding.package import package_rendition
from podjobs.encoding.plan import plan_job
from podjobs.encoding.publish import publish
from podjobs.encoding.recipe import Chunk, Recipe
from podjobs.function_settings import EncodingSettings


class EncodingFunction:
    """Performs the steps of encoding jobs: plan → chunk, audio → package, images → publish; report, discard."""

    def __init__(self, tools: Tools, storage: Storage, settings: EncodingSettings) -> None:
        """Take the backends and settings that every step uses."""
        self._tools = tools
        self._storage = storage
        self._settings = settings

    def perform(self, step: Step) -> Plan | Result:
        """Perform one step; safe to repeat.

        Raises:
            InvalidRequestError: there is no such action.
            StepError: as the action says.
        """
        job, backends = step.job, (self._tools, self._storage, self._settings)
        if step.action == "plan":
            return plan_job(job, *backends)
        if step.action == "report":
            return self._report(step)
        if step.action == "discard":
            self._storage.remove_work(job.id)
            return Result(log=("A newer job took this one's place; its work files are removed.",))
        recipe = Recipe.model_validate(step.shared)
        work = {"job_id": job.id, "timeout_s": step.timeout_s}
        if step.action == "chunk":
            return encode_chunk(recipe, Chunk.model_validate(step.params), *backends, **work)
        if step.action == "audio":
            return encode_audio(recipe, *backends, **work)
        if step.action == "publish":
            return publish(job, recipe, step.results, self._storage, self._settings, started_at=step.accepted_at)
        if step.action not in ("package", "images"):
            raise InvalidRequestError(f"The encoding function has no action {step.action!r}.")
        frames = {chunk.name: int(step.results[chunk.name]["frames"]) for chunk in self._chunks(recipe)}
        if step.action == "package":
            rendition = recipe.renditions[int(step.params["rendition"])]
            return package_rendition(recipe, rendition, frames, *backends, **work)
        chunks = [chunk for chunk in self._chunks(recipe) if frames[chunk.name]]
        ends_s = [float(step.results[chunk.name]["end_s"]) for chunk in chunks]
        return make_images(recipe, chunks, *backends, duration_s=recipe.duration_s or max(ends_s, default=0.0), **work)

    def _chunks(self, recipe: Recipe) -> tuple[Chunk, ...]:
        return recipe.chunks if recipe.facts.video is not None else ()

    def _report(self, step: Step) -> Result:
        """Leave the reason of a failure where Pod looks for the result, and remove the work files."""
        problem = step.failure or Problem(title="The job failed.", status=500, detail="No reason was given.")
        target = self._storage.key_of(step.job.output_dir)
        content = info.failure_info(step.job, step.accepted_at, problem)
        self._storage.write(posixpath.join(target, info.NAME), info.dump(content))
        self._storage.remove_work(step.job.id)
        return Result(log=("The failure was reported in info_video.json.",))
