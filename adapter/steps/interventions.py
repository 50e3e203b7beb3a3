"""What operators change about jobs: they cancel them, and run them anew."""

from adapter.steps.cancellations import Cancellation
from adapter.steps.outcomes import Accepted
from adapter.steps.script import JobScript, new_job
from podjobs.contract.jobs import Job


class Interventions:
    """Changes jobs on behalf of an operator. All methods raise NewerRecordError for a record of a newer version."""

    def __init__(self, script: JobScript) -> None:
        """Use the script of the job records."""
        self._script = script

    async def replay(self, job: Job, letter_id: str) -> Accepted:
        """Run a failed job anew and remove its dead letter."""
        return Accepted(*await self._script.run("replay", job=new_job(job), dead_letter=letter_id))

    async def retry(self, job: Job) -> Accepted:
        """Run a job anew that has failed or was cancelled, and remove its dead letters."""
        return Accepted(*await self._script.run("replay", job=new_job(job)))

    async def cancel(self, job_id: str, cancellation: Cancellation) -> str:
        """Cancel a job: what is left of it is dropped, and its sender is notified.

        Returns:
            `cancelled`, `gone` if there is no such job, or the state that forbids it.
        """
        (outcome,) = await self._script.run("cancel", job=job_id, **cancellation.arguments)
        return str(outcome)

    async def revoke(self, job_id: str, cancellation: Cancellation) -> str:
        """Cancel a job, or remember to cancel it once its message has come.

        Returns:
            As `cancel`, but `remembered` in place of `gone`.
        """
        (outcome,) = await self._script.run("revoke", job=job_id, **cancellation.arguments)
        return str(outcome)
