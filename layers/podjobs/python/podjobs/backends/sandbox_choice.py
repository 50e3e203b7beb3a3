"""Finds out at the start how commands can be confined on this machine, and tells the operator what is missing."""

import errno
import functools
import shutil
import subprocess
from dataclasses import replace
from typing import Literal

import structlog

from podjobs.backends.kernel import KernelRefusedError
from podjobs.backends.landlock import NET_ABI, landlock_abi
from podjobs.backends.sandbox import Level, Sandbox, locate_program
from podjobs.contract.commands import NOTHING
from podjobs.contract.redaction import redact
from podjobs.settings import SettingsError

logger = structlog.get_logger(__name__)

Mode = Literal["auto", "require", "off"]
"""Values of PODJOBS_SANDBOX."""
TRIAL_S = 60
NOOP = "true"
WRAPPERS = ("setpriv", "prlimit", "nice")
"""Programs that a command is started through, see wrappers.py."""
FORBIDDEN = (
    "a seccomp profile forbids Landlock; update the container runtime, or permit landlock_create_ruleset, "
    "landlock_add_rule and landlock_restrict_self in its profile"
)
NO_LANDLOCK = {
    errno.ENOSYS: "this kernel has no Landlock, or a container runtime hides it; Linux 5.13 or newer is needed",
    errno.EOPNOTSUPP: "Landlock is switched off; add landlock to the kernel's parameter lsm",
    errno.EPERM: FORBIDDEN,
    errno.EACCES: FORBIDDEN,
}
"""Why there is no Landlock, by the kernel's answer, and the remedy."""


def open_sandbox(mode: Mode, *programs: str) -> Sandbox:
    """Choose how commands are confined, and log it.

    Args:
        mode: PODJOBS_SANDBOX.
        programs: ffmpeg and ffprobe.

    Raises:
        SettingsError: something is missing, and the mode does not permit that.
    """
    sandbox = choose_sandbox(mode, programs)
    if mode == "off":
        logger.warning("Media commands are not confined: PODJOBS_SANDBOX is off.")
    else:
        logger.info("How media commands are confined.", **describe_levels(sandbox))
    return sandbox


@functools.cache
def choose_sandbox(mode: Mode = "auto", programs: tuple[str, ...] = ("ffmpeg", "ffprobe")) -> Sandbox:
    """Choose how commands are confined: by everything with which the programs still run. Raises as `open_sandbox`."""
    if mode == "off":
        return Sandbox()
    sandbox = _choose(programs)
    if mode == "require" and sandbox.missing:
        raise SettingsError(f"PODJOBS_SANDBOX is require. {advise(sandbox)}")
    return sandbox


def advise(sandbox: Sandbox) -> str:
    """What an operator should change; empty: nothing."""
    if not sandbox.missing:
        return ""
    reasons = "; ".join(f"{level}: {reason}" for level, reason in sandbox.missing.items())
    return (
        "Media commands are not fully confined, so that a file which exploits a fault in ffmpeg could do what this "
        f"function can do. What is missing: {reasons}."
    )


def describe_levels(sandbox: Sandbox) -> dict[str, str]:
    """How each level is confined, or why it is not."""
    landlock = f"Landlock {sandbox.abi}"
    tcp = f", {landlock}: TCP only to where a source is" if sandbox.abi >= NET_ABI else ""
    words = {
        Level.ENVIRONMENT: "search paths and locale only",
        Level.PRIVILEGES: "no new ones, no capabilities but that to read and write files",
        Level.NETWORK: f"seccomp: sockets only for a source that is a URL{tcp}",
        Level.FILES: f"{landlock}: the system's programs, the command's inputs and its folder",
    }
    return {
        str(level): words[level] if level in sandbox.levels else f"not confined: {sandbox.missing.get(level, '')}"
        for level in Level
    }


def _choose(programs: tuple[str, ...]) -> Sandbox:
    located = tuple(path for program in (*programs, *WRAPPERS) for path in locate_program(program))
    missing: dict[Level, str] = {}
    abi = 0
    try:
        abi = landlock_abi()
    except KernelRefusedError as error:
        missing[Level.FILES] = NO_LANDLOCK.get(error.errno or 0, str(error.strerror))
    wanted = [level for level in Level if level not in missing]
    sandbox = Sandbox(frozenset(wanted), abi, located, missing)
    if not _try_out(sandbox, programs):
        return sandbox
    # one that does not run without it, either, is no reason to do without it
    able = tuple(program for program in programs if not _try_out(Sandbox(), (program,)))
    sandbox = Sandbox(frozenset(), abi, located, missing)
    for level in wanted:
        more = replace(sandbox, levels=sandbox.levels | {level})
        if obstacle := _try_out(more, able):
            missing[level] = obstacle
        else:
            sandbox = more
    return sandbox


def _try_out(sandbox: Sandbox, programs: tuple[str, ...]) -> str:
    """Why programs do not run in a sandbox; empty: they do, or are not there."""
    for program in (NOOP, *programs):
        if shutil.which(program) is None:
            continue
        try:
            process = sandbox.start([program, "-version"], NOTHING, stdin=subprocess.DEVNULL)
        except OSError as error:
            return f"the system refuses it ({error.strerror})"
        try:
            _, stderr = process.communicate(timeout=TRIAL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"{program} does not end"
        if process.returncode:
            last = (stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit status {process.returncode}"])[-1]
            return f"{program} does not run with it ({redact(last)})"
    return ""
