"""The programs of util-linux and coreutils that a command is started through.

They tie its life to ours, set its limits, lower its priority, and forbid core files, which would contain what people
uploaded.
"""

import resource
import shutil
import subprocess

import structlog

from podjobs.backends.priority import yielding_argv
from podjobs.backends.sandbox import Sandbox
from podjobs.contract.commands import NOTHING, UNLIMITED, CommandLimits
from podjobs.settings import SettingsError

logger = structlog.get_logger(__name__)

CPU_GRACE_S = 2
"""Between SIGXCPU, upon which ffmpeg ends in order, and SIGKILL."""


def wrap(memory_limit_bytes: int, limits: CommandLimits) -> list[str]:
    """The words before a command: programs that replace themselves with it.

    `preexec_fn` would do the same, but is not safe with threads.

    Args:
        memory_limit_bytes: address space that it may use.
        limits: what else it may use.
    """
    prefix: list[str] = []
    if setpriv := shutil.which("setpriv"):
        prefix += [setpriv, "--pdeathsig", "KILL", "--"]
    if prlimit := shutil.which("prlimit"):
        prefix += [prlimit, f"--as={memory_limit_bytes}", "--core=0"]
        if limits.cpu_s is not None:
            soft_s = _permitted(limits.cpu_s, resource.RLIMIT_CPU)
            prefix.append(f"--cpu={soft_s}:{_permitted(soft_s + CPU_GRACE_S, resource.RLIMIT_CPU)}")
        if limits.file_bytes is not None:
            prefix.append(f"--fsize={_permitted(limits.file_bytes, resource.RLIMIT_FSIZE)}")
        prefix.append("--")
    return [*prefix, *yielding_argv()] if limits.yields else prefix


def _permitted(wanted: int, kind: int) -> int:
    """No more than our own hard limit, which only root may exceed."""
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def check_start(sandbox: Sandbox, memory_limit_bytes: int) -> None:
    """Start a command that does nothing: what prevents that is the operator's fault, not that of an upload.

    Args:
        sandbox: confines it.
        memory_limit_bytes: as for `wrap`.

    Raises:
        SettingsError: it cannot be started.
    """
    if not shutil.which("prlimit"):
        logger.warning("Commands run without limits: there is no prlimit. Install util-linux.")
    tried = sandbox.start([*wrap(memory_limit_bytes, UNLIMITED), "true"], NOTHING, stdin=subprocess.DEVNULL)
    stderr = tried.communicate()[1].decode("utf-8", "replace")
    if tried.returncode == 0:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    said = stderr.strip().rstrip(".") or f"exit status {tried.returncode}"
    if hard != resource.RLIM_INFINITY and hard < memory_limit_bytes:
        raise SettingsError(
            f"PODJOBS_FFMPEG_MEMORY_MB is {memory_limit_bytes >> 20}, but the hard limit on the address space of this "
            f"process is {hard >> 20} MiB ({said}). Raise that limit (ulimit -Hv, LimitAS), or lower the setting."
        )
    raise SettingsError(f"ffmpeg cannot be started with a limit on its memory: {said}.")
