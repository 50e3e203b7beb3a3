"""Confines media commands: whatever a file makes ffmpeg do, there is nothing to steal and nowhere to send it.

    environment   a command inherits PATH and the search path of libraries, none of the function's secrets
    privileges    no program gives more of them; what root may do is given up
    network       no sockets, unless it reads from a URL; no look at other processes
    files         its inputs can be read, its folder be written, and the system's programs and libraries be run

Linux lets a thread give all that up for itself alone, and what it starts has no more than it has. So each command is
started by a thread of its own, which ends with it: no program in between, no privilege, and less than a millisecond
(docs/decisions/0035-commands-are-confined-by-the-thread-that-starts-them.md).
"""

import contextlib
import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from podjobs.backends.call_filter import filter_calls
from podjobs.backends.kernel import KernelRefusedError, drop_capabilities, forbid_new_privileges
from podjobs.backends.landlock import CHANGE, READ, RUN, Rule, restrict_thread
from podjobs.contract.commands import Access

INHERITED = ("PATH", "LD_LIBRARY_PATH")
"""Variables that a command receives; its locale is always the same."""
MARKS = "POD_FUNCTIONS_"
"""How variables begin by which whoever starts a stack finds its processes again: commands receive them, too."""
FOR_URLS = ("http_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables for commands that read from a URL, unless it comes with a proxy of its own."""
PROXY, NO_PROXY = "http_proxy", "no_proxy"
CERTIFICATES = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR"})
LOCALE = "C.UTF-8"

SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64"),
    # not all of /usr/local: that is where Pod's own settings are
    *("/usr/libexec", "/usr/local/bin", "/usr/local/lib", "/usr/local/lib64", "/usr/share"),
)
"""Programs, libraries, fonts."""
SYSTEM_FILES = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts", "/etc/localtime"),
    *("/var/cache/fontconfig", "/dev/urandom", "/dev/random", "/dev/zero", "/proc/cpuinfo", "/proc/meminfo"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
)
URL_FILES = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/gnutls"),
    *("/etc/pki/tls/certs", "/etc/pki/ca-trust", "/etc/crypto-policies"),
)
"""For names of hosts and their certificates."""
WRITABLE = Path("/dev/null")
PORTS = {"http": 80, "https": 443}
"""Of URLs without one."""


class Level(StrEnum):
    """What can be confined, in the order in which it is tried."""

    ENVIRONMENT = "environment"
    PRIVILEGES = "privileges"
    NETWORK = "network"
    FILES = "files"


@dataclass(frozen=True)
class Sandbox:
    """How commands are confined on this machine."""

    levels: frozenset[Level] = frozenset()
    """Those in force; none: commands run like everything else of this user."""
    abi: int = 0
    """What the kernel knows of Landlock."""
    programs: tuple[Path, ...] = ()
    """Where the commands and their libraries are, if that is not where the system has its own."""
    missing: dict[Level, str] = field(default_factory=dict)
    """Levels that are not in force although they should be, and why."""

    def start(self, argv: Sequence[str], access: Access, *, stdin: int) -> "subprocess.Popen[bytes]":
        """Start a command, confined, in a session of its own; its output and errors are pipes.

        Args:
            argv: the command.
            access: what it may reach.
            stdin: as for Popen.

        Raises:
            OSError: it cannot be started; KernelRefusedError: it cannot be confined.
            ValueError: its inputs have several proxies.
        """
        environment = choose_environment(access, is_confined=Level.ENVIRONMENT in self.levels)

        def popen() -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=environment,
            )

        return _Starter(self, access, popen).process() if self.levels - {Level.ENVIRONMENT} else popen()

    def confine_thread(self, access: Access) -> None:
        """Give up, in the calling thread, whatever is not needed. Raises KernelRefusedError."""
        forbid_new_privileges()
        if Level.FILES in self.levels:
            restrict_thread(self.abi, self._rules(access), choose_ports(access))
        if Level.PRIVILEGES in self.levels:
            drop_capabilities()
        if Level.NETWORK in self.levels:
            filter_calls(sockets=bool(access.remote))

    def _rules(self, access: Access) -> Iterator[Rule]:
        yield from (Rule(Path(path), RUN) for path in SYSTEM)
        yield from (Rule(path, RUN) for path in (*self.programs, *_library_folders()))
        yield from (Rule(Path(path), READ) for path in SYSTEM_FILES)
        yield Rule(WRITABLE, CHANGE)
        yield from (Rule(path, READ) for path in access.files)
        if access.folder is not None:
            yield Rule(access.folder, CHANGE)
        if access.remote and not access.proxy:
            certificates = [value for name, value in choose_environment(access).items() if name in CERTIFICATES]
            yield from (Rule(Path(path), READ) for path in (*URL_FILES, *certificates))


class _Starter(threading.Thread):
    """The thread that confines itself and starts one command.

    It lives as long as the command, which is killed when the thread that started it ends.
    """

    def __init__(self, sandbox: Sandbox, access: Access, popen: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        super().__init__(daemon=True)
        self._sandbox, self._access, self._popen = sandbox, access, popen
        self._caller = threading.get_native_id()
        self._outcome: Future[subprocess.Popen[bytes]] = Future()

    def process(self) -> "subprocess.Popen[bytes]":
        """Start the command. Raises OSError."""
        self.start()
        return self._outcome.result()

    def run(self) -> None:
        """Do it; called by `start`."""
        try:
            process = self._start()
        except BaseException as error:  # whatever it is, the caller waits for it
            self._outcome.set_exception(error)
            if isinstance(error, OSError):
                return
            raise
        self._outcome.set_result(process)
        with contextlib.suppress(ChildProcessError):  # whoever waits for its end was faster
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    def _start(self) -> "subprocess.Popen[bytes]":
        if threading.get_native_id() == self._caller:  # under gevent, for instance
            raise KernelRefusedError(errno.ENOTSUP, "threads are not those of the kernel")
        self._sandbox.confine_thread(self._access)
        return self._popen()


def choose_environment(access: Access, *, is_confined: bool = True) -> dict[str, str]:
    """The environment of a command: nothing secret, except a proxy's password where it reads from a URL.

    Args:
        access: what it may reach.
        is_confined: whether it must not have everything that this process has.
    """
    for_urls = FOR_URLS if access.remote and not access.proxy else ()
    names = (*INHERITED, *for_urls)
    inherited = {name: value for name, value in os.environ.items() if name in names or name.startswith(MARKS)}
    environment = {"PATH": os.defpath, "LANG": LOCALE, "LC_ALL": LOCALE, **inherited} if is_confined else {**os.environ}
    if access.proxy:
        environment[PROXY] = access.proxy
        environment.pop(NO_PROXY, None)
    return environment


def choose_ports(access: Access) -> set[int]:
    """The TCP ports to which a command may connect: of its URLs and of a proxy, or of the proxy that they name."""
    proxy = choose_environment(access).get(PROXY, "")
    ports: set[int] = set()
    direct = () if access.proxy else access.remote
    for url, protocols in (*((one.url, one.protocols) for one in direct), (proxy, ("http",))):
        if url:
            explicit = urlsplit(url).port
            ports |= {explicit} if explicit else {PORTS[name] for name in protocols if name in PORTS}
    return ports


def locate_program(command: str) -> tuple[Path, ...]:
    """A command that is not among the system's, and the libraries that were installed with it.

    Args:
        command: a name on PATH, or a path.

    Returns:
        Nothing if it is among the system's, or is not there.
    """
    found = shutil.which(command)
    if found is None:
        return ()
    program = Path(found).resolve()
    if any(program.is_relative_to(folder) for folder in SYSTEM):
        return ()
    return (program, *(program.parent.parent / name for name in ("lib", "lib64") if program.parent.name == "bin"))


def _library_folders() -> tuple[Path, ...]:
    return tuple(Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder)
