"""Landlock: a thread gives up files, TCP ports and signals, for itself and for every process that it starts.

It needs no privilege and no other program, and works in containers. What a kernel knows of it is told by a number, the
ABI: from 1 on files, from 4 on TCP, from 6 on signals and abstract sockets.

Source: landlock(7); linux/landlock.h.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from podjobs.backends.kernel import system_call

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of system calls, the same for every processor."""
VERSION_FLAG = 1
PATH_BENEATH, NET_PORT = 1, 2

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REGULAR = 1 << 7, 1 << 8
TRUNCATE = 1 << 14
RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: 1 << 13, 3: TRUNCATE, 5: 1 << 15}
"""ABI → what it added that can be done with files: making devices, links and sockets, ioctl of devices and the like."""
BIND_TCP, CONNECT_TCP = 1, 2
NET_ABI, SCOPE_ABI = 4, 6
SCOPES = 0b11
"""Abstract sockets and signals reach only processes that are confined alike."""

RUN = EXECUTE | READ_FILE | READ_DIR
READ = READ_FILE | READ_DIR
CHANGE = READ | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REGULAR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
"""The rights that a rule about something that is not a folder may give."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _PortRule(ctypes.Structure):
    _fields_ = (("rights", ctypes.c_uint64), ("port", ctypes.c_uint64))


class Rule(NamedTuple):
    """What may be done with a file, or with all that is in a folder."""

    path: Path
    rights: int


def landlock_abi() -> int:
    """What this kernel knows of Landlock. Raises KernelRefusedError if it is not there, or not permitted."""
    return system_call(CREATE_RULESET, None, 0, VERSION_FLAG)


def restrict_thread(abi: int, rules: Iterable[Rule], ports: Iterable[int]) -> None:
    """Give up everything that the rules do not allow; the thread must have given up new privileges before.

    Args:
        abi: as returned by `landlock_abi`.
        rules: paths that do not exist are left out.
        ports: to which TCP connections may be made.

    Raises:
        KernelRefusedError: it cannot be done.
    """
    rights = sum(added for since, added in RIGHTS_BY_ABI.items() if since <= abi)
    attributes = _Ruleset(rights, (BIND_TCP | CONNECT_TCP) if abi >= NET_ABI else 0, SCOPES if abi >= SCOPE_ABI else 0)
    ruleset = system_call(CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    try:
        for rule in rules:
            _allow(ruleset, rule.path, rule.rights & rights)
        if attributes.net:
            for port in ports:
                system_call(ADD_RULE, ruleset, NET_PORT, ctypes.byref(_PortRule(CONNECT_TCP, port)), 0)
        system_call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # whoever needs it will say so
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= OF_FILES
        system_call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(_PathRule(rights, parent)), 0)
    finally:
        os.close(parent)
