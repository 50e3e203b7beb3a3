"""The toy's row in the table of job types, with its model. In the product both stand in `podjobs.contract`."""

from typing import Literal

from podjobs.contract.jobs import Job
from podjobs.contract.workflows import WORKFLOWS, Function, Workflow


class SumJob(Job):
    type: Literal["sum"] = "sum"
    numbers: tuple[int, ...]


ROW = Workflow(SumJob, Function("sum", concurrency=2, attempts=2))
WORKFLOWS[ROW.type] = ROW
