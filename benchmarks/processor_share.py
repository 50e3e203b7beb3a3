"""Limits this process and its commands to a part of the processors, as a function with little memory has it.

By a control group of its own with a quota, of the kernel's first or second interface: needs the right to make one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 100_000
GROUP = "pod-functions-benchmark"
CONTROLLERS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
WEIGHT = 16
"""Times that of other work on this machine: what is measured should get its quota."""


class NoQuotaError(Exception):
    """This machine lets us limit nothing."""


@contextmanager
def processor_share(vcpus: float) -> Iterator[None]:
    """Give this process, and what it starts meanwhile, so many processors.

    Args:
        vcpus: 0.5: half the time of one.

    Raises:
        NoQuotaError: there is no such control group, or no right to make one.
    """
    root = CONTROLLERS[0] if CONTROLLERS[0].is_dir() else CONTROLLERS[1]
    group = root / f"{GROUP}-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise NoQuotaError(f"{root} cannot be written: run this as root, on a machine with control groups.") from error
    try:
        for name, value in _limits(root, vcpus):
            (group / name).write_text(value, encoding="ascii")
        (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        (root / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
        group.rmdir()


def _limits(root: Path, vcpus: float) -> tuple[tuple[str, str], ...]:
    """The files of a group, and what is written into each."""
    quota_us = round(vcpus * PERIOD_US)
    if root == CONTROLLERS[0]:
        return (
            ("cpu.cfs_period_us", str(PERIOD_US)),
            ("cpu.cfs_quota_us", str(quota_us)),
            ("cpu.shares", str(1024 * WEIGHT)),
        )
    return ("cpu.max", f"{quota_us} {PERIOD_US}"), ("cpu.weight", str(100 * WEIGHT))
