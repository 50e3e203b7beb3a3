"""A filter of system calls: a thread gives up sockets and the memory of other processes, for itself and what it starts.

It needs no privilege. It is no substitute for the filter of a container runtime, which forbids far more.

Source: seccomp(2); linux/seccomp.h; linux/filter.h.
"""

import ctypes
import errno
import platform
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

PTRACE, READ_MEMORY, WRITE_MEMORY, SOCKET = "ptrace", "process_vm_readv", "process_vm_writev", "socket"
IO_URING_SETUP, PIDFD_GETFD = 425, 438
"""Can make sockets, too; takes open files from another process. The same numbers for every processor."""


class _Processor(NamedTuple):
    """What the kernel calls a processor, and the numbers of its system calls."""

    audit: int
    calls: dict[str, int]


_GENERIC = {PTRACE: 117, READ_MEMORY: 270, WRITE_MEMORY: 271, SOCKET: 198, "seccomp": 277}
PROCESSORS = {
    "x86_64": _Processor(0xC000003E, {PTRACE: 101, READ_MEMORY: 310, WRITE_MEMORY: 311, SOCKET: 41, "seccomp": 317}),
    "aarch64": _Processor(0xC00000B7, _GENERIC),
    "riscv64": _Processor(0xC00000F3, _GENERIC),
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
    processor = PROCESSORS.get(platform.machine())
    if processor is None:
        raise KernelRefusedError(errno.ENOSYS, f"its calls on the processor {platform.machine()!r} are not known")
    refused = [processor.calls[PTRACE], processor.calls[READ_MEMORY], processor.calls[WRITE_MEMORY]]
    refused += [IO_URING_SETUP, PIDFD_GETFD, *([] if sockets else [processor.calls[SOCKET]])]
    instructions = _compile(processor.audit, refused)
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    system_call(processor.calls["seccomp"], SET_MODE_FILTER, SPEC_ALLOW, ctypes.byref(program))


def _compile(processor: int, refused: list[int]) -> list[_Instruction]:
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
