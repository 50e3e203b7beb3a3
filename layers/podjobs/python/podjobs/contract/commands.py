"""What a media command reads, what it may use, and what it may reach."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from podjobs.contract.errors import StepError

LOCAL_PROTOCOLS = frozenset({"file", "pipe"})
"""ffmpeg's protocols that need no network."""


@dataclass(frozen=True)
class MediaInput:
    """A media file, as ffmpeg reads it."""

    url: str = field(repr=False)
    """The argument of `-i`: a path, or a URL, which may be secret as a whole."""
    protocols: tuple[str, ...]
    """The ffmpeg protocols needed to read it: whatever its content, no others are used."""
    name: str
    """Shown to people: the absolute path as Pod sees it."""
    proxy: str = field(default="", repr=False)
    """URL, with its password, of the HTTP proxy that it is read through; empty: none, or the environment's. Commands
    get it by their environment, which other users of the machine cannot see."""
    trouble: Callable[[float], StepError | None] = field(default=lambda _: None, repr=False, compare=False)
    """What kept it from being read since a time (of `time.monotonic`), if anything did: commands may not notice."""

    @property
    def protocol_whitelist(self) -> str:
        """The value of ffmpeg's option of that name."""
        return ",".join(self.protocols)

    @property
    def is_remote(self) -> bool:
        """Whether it is read over the network."""
        return not LOCAL_PROTOCOLS.issuperset(self.protocols)


@dataclass(frozen=True)
class CommandLimits:
    """What a command may use. None: it has no limit of its own."""

    cpu_s: int | None = None
    """Processor time, of all its threads, in seconds."""
    file_bytes: int | None = None
    """Size of each file that it writes."""
    file_setting: str = ""
    """The setting that raises it; empty: there is none."""
    yields: bool = False
    """Whether it leaves the processors to other commands that want them."""


UNLIMITED = CommandLimits()


@dataclass(frozen=True)
class Access:
    """What a command may reach besides the system's programs and libraries; the rest is closed where that is possible.

    Its pipes need no permission: what it is fed, what it returns.
    """

    reads: tuple[MediaInput | Path, ...] = ()
    """Only an input that is a URL opens the network."""
    folder: Path | None = None
    """Everything in it may be read, written and removed."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What it may only read."""
        local = (one for one in self.reads if isinstance(one, Path) or not one.is_remote)
        return tuple(one if isinstance(one, Path) else Path(one.url) for one in local)

    @property
    def remote(self) -> tuple[MediaInput, ...]:
        """What it reads over the network."""
        return tuple(one for one in self.reads if isinstance(one, MediaInput) and one.is_remote)

    @property
    def proxy(self) -> str:
        """The proxy through which it reads; empty: none that its inputs name.

        Raises ValueError if they name several: a command knows one.
        """
        proxies = {one.proxy for one in self.remote}
        if len(proxies) > 1:
            raise ValueError("A command's inputs must all be read through the same proxy.")
        return proxies.pop() if proxies else ""

    def find_trouble(self, since_s: float) -> StepError | None:
        """What kept its inputs from being read since a time, as `time.monotonic` gives it, if anything did."""
        return next(filter(None, (one.trouble(since_s) for one in self.remote)), None)


NOTHING = Access()
"""The access of a command that is fed everything and returns everything."""
