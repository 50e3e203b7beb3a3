"""Shows a job's progress in the terminal."""

import time

from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from local.client import NOT_TAKEN_YET, JobRecords, Progress
from local.stack import Stack
from podjobs.contract.job_states import JobState

POLL_S = 0.2


def follow(stack: Stack, job_id: str, name: str, console: Console) -> Progress:
    """Show a progress bar until a job has ended.

    Args:
        stack: that performs it.
        job_id: of the job.
        name: how it is called there.
        console: the terminal.

    Returns:
        How it ended.
    """
    records = JobRecords(stack.configuration.jobs_url)
    bar = ProgressBar(
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[stage]:<8}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(compact=True),
        console=console,
    )
    shown_trouble = ""
    with bar:
        task = bar.add_task(name if len(name) <= 30 else name[:29] + "…", total=1.0, stage="waiting")  # noqa: PLR2004
        while True:
            stack.look_after()
            try:
                progress = records.progress(job_id)
            except RedisError:
                progress = NOT_TAKEN_YET  # redis-server is being restarted
            bar.update(
                task,
                completed=progress.done,
                stage=progress.stage or "queued",
            )
            if progress.trouble and progress.trouble != shown_trouble and progress.state != JobState.DONE:
                shown_trouble = progress.trouble
                bar.print(f"A step will be tried again: {shown_trouble}", markup=False)
            if progress.ended:
                records.close()
                return progress
            time.sleep(POLL_S)
