"""Receives one part of a file into a local file, over as many connections as that takes."""

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from podjobs.contract.errors import NotNowError, PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.storage import PIECE_BYTES
from podjobs.contract.ports.web import RemoteContent, Web
from podjobs.contract.redaction import redact
from podjobs.fetching.parts import Kept, name_version

PART_S = 60.0
PART_BYTES = 1 << 30
"""Where the media are in a bucket, a part is kept on this machine until it is uploaded."""
MOST_FAILURES = 3
"""In a row, without any progress, before the step is given back."""
PAUSE_S = 1.0


@dataclass(frozen=True)
class Limits:
    """Of one step."""

    until_s: float
    """When it stops receiving, on the monotonic clock."""
    file_bytes: int
    """Of one file."""
    part_s: float = PART_S
    """After which a part ends, if it has at least `PIECE_BYTES`."""
    part_bytes: int = PART_BYTES

    @property
    def are_over(self) -> bool:
        """Whether the step has no time left."""
        return time.monotonic() >= self.until_s


def shown(url: str) -> str:
    """A URL, for people: its query may be a secret."""
    return redact(url)[:300]


class Receiving:
    """One part."""

    def __init__(self, url: str, kept: Kept, limits: Limits, web: Web) -> None:
        """Describe it.

        Args:
            url: of the file.
            kept: the parts before.
            limits: of time and size.
            web: where it comes from.
        """
        self.kept = kept
        """What the part continues: nothing, if the file has changed, or its server sends whole files only."""
        self.size_bytes = 0
        """Of the part."""
        self.is_last = False
        self.can_continue = True
        """Whether the server can send what comes after this part."""
        self.trouble: NotNowError | None = None
        """Why there is no more of it now."""
        self._url, self._limits, self._web = url, limits, web
        self._full_at = time.monotonic() + limits.part_s

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it can be joined with others."""
        return self.is_last or (self.can_continue and self.size_bytes >= PIECE_BYTES)

    def run(self, file: Path) -> None:
        """Receive until the part is full, the file ends, the time is over, or the server fails again and again.

        Args:
            file: the local file.

        Raises:
            PermanentError: it cannot be fetched, or is too large.
        """
        failures = 0
        with file.open("wb") as out:
            while not self.is_last and not self._is_full and failures < MOST_FAILURES:
                before = self._position
                try:
                    self._receive(out)
                    self.trouble = None
                except NotNowError as error:
                    self.trouble = error
                    failures = failures + 1 if self._position <= before else 1
                    time.sleep(0 if self._limits.are_over else PAUSE_S)

    @property
    def _position(self) -> int:
        return self.kept.end + self.size_bytes

    @property
    def _is_full(self) -> bool:
        if self._limits.are_over:
            return True
        is_large = self.size_bytes >= self._limits.part_bytes
        is_old = self.size_bytes >= PIECE_BYTES and time.monotonic() >= self._full_at
        return self.can_continue and (is_large or is_old)

    def _receive(self, out: BinaryIO) -> None:
        """Receive over one connection. Raises NotNowError if it breaks off."""
        wanted = self._position
        with self._web.open(self._url, wanted, self._limits.until_s) as content:
            if not wanted or not self._continues(content):
                self._begin_anew(out, content, wanted)
                if content.start and wanted:
                    return
                if content.start:
                    raise NotNowError(f"{shown(self._url)} is not sent from its beginning on.", retry_after_s=None)
            for block in content.blocks:
                out.write(block)
                self.size_bytes += len(block)
                self._check_size(self._position)
                if self._is_full:
                    self.is_last = self._position == content.total_bytes
                    return
            self._end(content)

    def _continues(self, content: RemoteContent) -> bool:
        """Whether it is the rest of what has come so far."""
        version = name_version(content.version) if content.version else ""
        return (content.start, version, content.total_bytes) == (
            self._position, self.kept.version, self.kept.total_bytes,
        )  # fmt: skip

    def _begin_anew(self, out: BinaryIO, content: RemoteContent, wanted: int) -> None:
        self._check_size(content.total_bytes or 0)
        out.seek(0)
        out.truncate()
        self.size_bytes = 0
        sends_whole = bool(wanted) and not content.start
        self.can_continue = bool(content.version) and content.total_bytes is not None and not sends_whole
        self.kept = Kept(name_version(content.version or uuid.uuid4().hex), content.total_bytes or 0)

    def _end(self, content: RemoteContent) -> None:
        """The server has sent all that it wanted to."""
        if content.total_bytes not in {None, self._position}:
            raise NotNowError(
                f"{shown(self._url)} ended after {self._position} of {content.total_bytes} bytes.", retry_after_s=None
            )
        self.kept = self.kept.with_total(self._position)
        self.is_last = True

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.file_bytes:
            raise PermanentError(
                f"{shown(self._url)} is larger than the {self._limits.file_bytes / (1 << 30):.3g} GiB that "
                "PODJOBS_FETCH_MAX_GB allows. Allow more, or upload it in several parts.",
                kind=FailureKind.TOO_LONG,
            )
