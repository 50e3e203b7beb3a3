"""How often the real adapter invokes functions for an hour of lecture: a plan as long, steps that do nothing."""

import shutil
from pathlib import Path

from benchmarks.adapter_stack import running_stack
from benchmarks.planned_steps import encoding_stages
from podjobs.contract.plans import Plan

VIDEO, CONCURRENCY, TIMEOUT_S = 1, 8, 120


def count_invocations(folder: Path, length_s: float) -> int:
    """Let an adapter perform the encoding job of a video; the notification counts, too.

    Args:
        folder: where to work; removed afterwards.
        length_s: of the video.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with running_stack(folder, CONCURRENCY) as stack:
        stack.set_plan(VIDEO, Plan(stages=encoding_stages(length_s)[1:]))
        (job_id,) = stack.push(VIDEO)
        stack.wait_done(job_id, TIMEOUT_S)
        entered = (stack.folder / "entered").read_text(encoding="utf-8").splitlines()
    shutil.rmtree(folder)
    return len(entered)
