"""System calls that Python has no function for. Each concerns the calling thread and the processes that it starts."""

import ctypes
import errno
import functools
import os
import sys
from typing import Any

PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
"""Source: linux/prctl.h."""
CAP_DAC_OVERRIDE = 1
"""Reading and writing whatever the modes of files say. Source: capabilities(7)."""
CAPABILITIES = 64
"""As many as there is room for in a process."""
CAPABILITY_VERSION = 0x20080522
"""Source: capset(2), _LINUX_CAPABILITY_VERSION_3."""


class KernelRefusedError(OSError):
    """The kernel does not know a system call, or does not permit it."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    """Of 32 capabilities each."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def system_call(number: int, *arguments: Any) -> int:
    """Make a system call by its number. Raises KernelRefusedError if it fails."""
    libc = _libc()
    words = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(libc.syscall(ctypes.c_long(number), *words))


def forbid_new_privileges() -> None:
    """No program gives more privileges from now on, whoever owns it. Raises KernelRefusedError."""
    _checked(_prctl(PR_SET_NO_NEW_PRIVS, 1))


def die_with_parent(number: int) -> None:
    """Have this process sent a signal when the thread that started it ends. Raises KernelRefusedError.

    If that has happened before, nothing is sent: ask for the parent's id afterwards.
    """
    _checked(_prctl(PR_SET_PDEATHSIG, number))


def drop_capabilities() -> None:
    """Give up what root may do, except reading and writing files of other users. Raises KernelRefusedError.

    Uploads may be readable by their owner alone, and work folders belong to the owner of the media root: which files
    are in reach is another's decision (landlock.py).
    """
    libc = _libc()
    header = _Header(CAPABILITY_VERSION, 0)
    held = (_Capabilities * 2)()
    _checked(libc.capget(ctypes.byref(header), held))
    for capability in range(CAPABILITIES):
        # this was the last one, or we are not root and have none
        if capability != CAP_DAC_OVERRIDE and _prctl(PR_CAPBSET_DROP, capability) < 0:
            break
    kept = held[0].permitted & (1 << CAP_DAC_OVERRIDE)
    left = (_Capabilities * 2)(_Capabilities(kept, kept, 0), _Capabilities(0, 0, 0))
    _checked(libc.capset(ctypes.byref(header), left))


def _prctl(option: int, value: int) -> int:
    return int(_libc().prctl(option, *(ctypes.c_ulong(word) for word in (value, 0, 0, 0))))


@functools.cache
def _libc() -> ctypes.CDLL:
    if sys.platform != "linux":  # the same number would be another call
        raise KernelRefusedError(errno.ENOSYS, "this is not Linux")
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise KernelRefusedError(number, os.strerror(number))
    return result
