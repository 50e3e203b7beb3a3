"""A filter of system calls: what a thread gives up for itself and for every process that it starts.

These are sockets, the memory and the open files of other processes, and the modes and owners of files, of which
Landlock knows nothing.

It needs no privilege. It is no substitute for the filter of a container runtime, which forbids far more.

Source: seccomp(2); linux/seccomp.h; linux/filter.h.
"""

import ctypes
import errno
import platform
from collections.abc import Sequence
from typing import NamedTuple

from podjobs.backends.kernel import KernelRefusedError, system_call

SET_MODE_FILTER = 1
SPEC_ALLOW = 1 << 2
"""Without it, kernels before 5.16 slow down every program that has a filter: a mitigation that nothing here needs."""
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of the filter's machine."""
NUMBER_AT, PROCESSOR_AT = 0, 4
"""Where the call's number and the processor are in what the filter is given."""
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EACCES, 0x80000000
FOREIGN_CALLS = 0x40000000
"""From this number on, x86-64 has the calls of another interface, which nothing uses."""

IO_URING_SETUP, PIDFD_GETFD, FCHMODAT2, SETXATTRAT = 425, 438, 452, 463
"""Newer calls, with the same number for every processor. io_uring can make sockets, too."""


class _Processor(NamedTuple):
    """What the kernel calls a processor, and the numbers of its system calls."""

    audit: int
    seccomp: int
    socket: int
    processes: tuple[int, ...]
    """ptrace, process_vm_readv, process_vm_writev."""
    attributes: tuple[int, ...]
    """chmod, chown, setxattr, and their variants."""


def _generic(audit: int) -> _Processor:
    return _Processor(audit, 277, 198, (117, 270, 271), (52, 53, 54, 55, 5, 6, 7))


PROCESSORS = {
    "x86_64": _Processor(0xC000003E, 317, 41, (101, 310, 311), (90, 91, 268, 92, 93, 94, 260, 188, 189, 190)),
    "aarch64": _generic(0xC00000B7),
    "riscv64": _generic(0xC00000F3),
}
"""Source: linux/audit.h; arch/x86/entry/syscalls/syscall_64.tbl; asm-generic/unistd.h."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


def filter_calls(*, sockets: bool) -> None:
    """Refuse some system calls from now on; the thread must have given up new privileges before.

    Args:
        sockets: whether sockets may still be made.

    Raises:
        KernelRefusedError: it cannot be done.
    """
    own = _this_processor()
    refused = (*own.processes, *own.attributes, IO_URING_SETUP, PIDFD_GETFD, FCHMODAT2, SETXATTRAT)
    refuse_calls(refused if sockets else (*refused, own.socket))


def refuse_calls(numbers: Sequence[int]) -> None:
    """Refuse system calls by their numbers from now on, as a file is refused that may not be read.

    Args:
        numbers: those of this processor.

    Raises:
        KernelRefusedError: it cannot be done.
    """
    processor = _this_processor()
    instructions = _compile(processor.audit, numbers)
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    system_call(processor.seccomp, SET_MODE_FILTER, SPEC_ALLOW, ctypes.byref(program))


def _this_processor() -> _Processor:
    processor = PROCESSORS.get(platform.machine())
    if processor is None:
        raise KernelRefusedError(errno.ENOSYS, f"the system calls of the processor {platform.machine()!r} are unknown")
    return processor


def _compile(processor: int, refused: Sequence[int]) -> list[_Instruction]:
    """The filter's instructions; jumps are counted in instructions to leave out."""
    last = len(refused)
    return [
        _Instruction(LOAD_WORD, 0, 0, PROCESSOR_AT),
        # a program for another processor would have other numbers
        _Instruction(JUMP_IF_EQUAL, 1, 0, processor),
        _Instruction(RETURN, 0, 0, KILL),
        _Instruction(LOAD_WORD, 0, 0, NUMBER_AT),
        _Instruction(JUMP_IF_AT_LEAST, last + 1, 0, FOREIGN_CALLS),
        *(_Instruction(JUMP_IF_EQUAL, last - place, 0, number) for place, number in enumerate(refused)),
        _Instruction(RETURN, 0, 0, ALLOW),
        _Instruction(RETURN, 0, 0, REFUSE),
    ]
