"""What has been fetched of a file: parts, whose names say of which version and where they belong. Pure.

    work/<job>/fetch-<number of the file>/<version>-<size of the whole>-<position>

So a further attempt, or step, goes on where the last one has ended, and parts of two versions are never mixed.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from podjobs.contract.media_paths import Key

_NAME = re.compile(r"([0-9a-f]{16})-(\d+)-(\d+)")


def name_version(version: str) -> str:
    """A version as part of a name.

    Args:
        version: as the server says it, such as an ETag; not empty.
    """
    return hashlib.sha256(version.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class Kept:
    """The parts of one version of a file, without gaps from its beginning."""

    version: str = ""
    """As `name_version` writes it; empty: there is no part."""
    total_bytes: int = 0
    end: int = 0
    """The position behind the last part."""
    keys: tuple[Key, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return bool(self.keys) and self.end == self.total_bytes

    def with_total(self, total_bytes: int) -> "Kept":
        """The same, once it is known how long the whole is."""
        return replace(self, total_bytes=total_bytes)

    def with_part(self, key: Key, size_bytes: int) -> "Kept":
        """The same with one more part."""
        return replace(self, end=self.end + size_bytes, keys=(*self.keys, key))

    def name_next(self) -> str:
        """The name of the part that comes next."""
        return f"{self.version}-{self.total_bytes}-{self.end}"


def find_kept(parts: Iterable[tuple[Key, int]]) -> Kept:
    """Find the version of which most has been fetched.

    Args:
        parts: keys and sizes in bytes, of a file's folder.
    """
    by_version: dict[tuple[str, int], dict[int, tuple[Key, int]]] = {}
    for key, size_bytes in parts:
        found = _NAME.fullmatch(posixpath.basename(key))
        if found:
            by_version.setdefault((found[1], int(found[2])), {})[int(found[3])] = (key, size_bytes)
    kept = [_gapless(version, total_bytes, found) for (version, total_bytes), found in sorted(by_version.items())]
    return max(kept, key=lambda one: (one.is_complete, one.end), default=Kept())


def _gapless(version: str, total_bytes: int, found: dict[int, tuple[Key, int]]) -> Kept:
    keys: list[Key] = []
    end = 0
    while end in found:
        key, size_bytes = found.pop(end)
        keys.append(key)
        end += size_bytes
        if not size_bytes:
            break
    return Kept(version, total_bytes, end, tuple(keys)) if keys else Kept()
