"""What every action of the encoding function receives."""

from dataclasses import dataclass
from functools import cached_property

from podjobs.contract.actions import StepContext
from podjobs.contract.jobs import EncodingJob
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.results import EarlierResults
from podjobs.encoding.workspace import Workspace


@dataclass(frozen=True)
class EncodingContext(StepContext[EncodingJob]):
    """The job, the step, and its workspace."""

    work: Workspace

    @cached_property
    def recipe(self) -> Recipe:
        """How the source becomes its renditions; not available before the job is planned."""
        recipe = self.shared(Recipe)
        if recipe.source.startswith(self.work.key("")):  # it was repackaged
            return recipe
        # it may have moved since it was planned
        return recipe.model_copy(update={"source": self.job.source})

    @cached_property
    def results(self) -> EarlierResults:
        """The results of earlier steps that the plan joins in."""
        return EarlierResults(self.recipe, self.step.results)
