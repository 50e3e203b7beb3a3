"""What every action of a studio job receives."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from podjobs.contract.actions import StepContext
from podjobs.contract.jobs import StudioJob
from podjobs.encoding.results import AudioResult, ChunkResult
from podjobs.encoding.steps import chunk_id
from podjobs.encoding.workspace import Workspace
from podjobs.studio.recipe import StudioRecipe
from podjobs.studio.results import PackageResult
from podjobs.studio.steps import usual_ids


@dataclass(frozen=True)
class StudioContext(StepContext[StudioJob]):
    """The job, the step, and its workspace."""

    work: Workspace

    @cached_property
    def recipe(self) -> StudioRecipe:
        """How the sources become one file; not available before the job is planned."""
        return self.shared(StudioRecipe)

    @cached_property
    def _results(self) -> dict[str, dict[str, Any]]:
        return usual_ids(self.step.results)

    @property
    def chunk_results(self) -> dict[str, ChunkResult]:
        """The chunks, by their ids."""
        ids = (chunk_id(chunk) for chunk in self.recipe.chunks)
        return {step_id: ChunkResult.model_validate(self._results[step_id]) for step_id in ids}

    @property
    def audio_result(self) -> AudioResult:
        """Empty if no source has sound."""
        return AudioResult.model_validate(self._results.get("audio", {}))

    @property
    def package_result(self) -> PackageResult:
        """The packaged file."""
        return PackageResult.model_validate(self._results["package"])
