"""Links in the media root that lead out of it: which of them are followed, and what an operator is told of the others.

    key       videos/<owner>/talk.mp4      of the media root /media
    link      /media/videos -> /nfs/videos
    allowed   PODJOBS_MEDIA_LINKS names /nfs or /nfs/videos

A link may lead out only from an administrator's place: directly in the media root, or in one of its folders. What
people upload lies deeper, so whatever an archive contains, a link in it leads only to where the key leads anyway: into
the media root, or into the target of the administrator's link that the key itself goes through.

Source: docs/decisions/0027.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from podjobs.contract.errors import InvalidRequestError, OperatorNeededError

SETTING = "PODJOBS_MEDIA_LINKS"
LINK_RETRY_S = 30.0
"""Seconds between two attempts until an operator has allowed a link."""
ADMINISTRATORS_DEPTH = 2
"""How many parts the key of a link has at most that may lead out of the media root."""
MOST_ENTRIES = 100_000
"""How many entries of a folder are looked at: it may hold a folder for each person."""
MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class OutwardLink:
    """A link in an administrator's place that leads out of the media root."""

    key: str
    """Where it is, relative to the media root."""
    target: Path
    """Where it leads, all links resolved; need not exist."""

    @property
    def affects_all(self) -> bool:
        """Whether it is directly in the media root: then all media of a kind are behind it."""
        return "/" not in self.key


@dataclass(frozen=True)
class MediaLinks:
    """The media root, and the folders that its links may lead to."""

    root: Path
    """As it is mounted here."""
    allowed: tuple[str, ...] = ()
    """Absolute folders, as they are mounted here."""

    def resolve(self, key: str, shown: str) -> Path:
        """Resolve a key, following links.

        Args:
            key: the key.
            shown: how errors name it.

        Raises:
            OperatorNeededError: an administrator's link leads out of the media root, all media behind it are concerned,
                and the setting does not name its target (yet).
            InvalidRequestError: another link leads out, or the key itself does.
        """
        root = _real(self.root)
        path = _real(root / key)
        if _is_within(path, root):
            return path
        parts = key.split("/")
        for depth in range(1, 1 + min(ADMINISTRATORS_DEPTH, len(parts))):
            link = self._outward(root, "/".join(parts[:depth]))
            if link and _is_within(path, link.target):
                if not self._allows(link):
                    raise self._refusal(link)
                return path
        raise InvalidRequestError(
            f"{shown!r} leads out of the media root through a link. Only links directly in the media root or in one of "
            "its folders may do so. Copy the file into the media root."
        )

    def find_outward(self) -> tuple[OutwardLink, ...]:
        """The links in administrators' places that lead out of the media root. Raises OSError."""
        root = _real(self.root)
        outward: list[OutwardLink] = []
        for name, is_folder in _entries(root):
            link = None if is_folder else self._outward(root, name)
            outward += [link] if link else []
            if is_folder or (link and self._allows(link) and link.target.is_dir()):
                # a folder may go in this moment, such as one that another function makes to try whether it can
                with contextlib.suppress(PermissionError, FileNotFoundError):
                    keys = [f"{name}/{below}" for below, is_folder in _entries(root / name) if not is_folder]
                    outward += [below for below in (self._outward(root, key) for key in keys) if below]
        return tuple(sorted(outward, key=lambda link: (not link.affects_all, link.key)))

    def find_obstacle(self) -> str:
        """What an operator should set so that links are followed, or mount so that they lead somewhere."""
        try:
            outward = self.find_outward()
        except OSError as error:
            return f"The links in the media root {str(self.root)!r} cannot be looked at: {error}."
        refused = [link for link in outward if not self._allows(link)]
        if refused:
            names = "The link" if len(refused) == 1 else f"Each of the {len(refused)} links"
            return (
                f"{names} {_show(refused)} in the media root {str(self.root)!r} leads out of it and is not followed. "
                f"If an administrator made this, set {SETTING}='{self._proposal(refused)}' for all functions."
            )
        astray = [link for link in outward if not link.target.exists()]
        if astray:
            return f"In the media root {str(self.root)!r}, {_show(astray)} leads to nothing. Mount the target here."
        return ""

    def linked_folders(self) -> tuple[Path, ...]:
        """The folders behind the links of the media root itself that are followed. Raises OSError."""
        links = [link for link in self.find_outward() if link.affects_all and self._allows(link)]
        return tuple(link.target for link in links if link.target.is_dir())

    def _outward(self, root: Path, key: str) -> OutwardLink | None:
        """The link at a key, if it leads out of the media root from an administrator's place."""
        entry = root / key
        above = key.rpartition("/")[0]
        # behind a link within the media root there may be what people upload
        if not entry.is_symlink() or (above and entry.parent.is_symlink() and not self._outward(root, above)):
            return None
        target = _real(entry)
        return None if _is_within(target, root) else OutwardLink(key, target)

    def _allows(self, link: OutwardLink) -> bool:
        return any(_is_within(link.target, _real(Path(folder))) for folder in self.allowed)

    def _refusal(self, link: OutwardLink) -> Exception:
        detail = (
            f"{link.key!r} leads out of the media root through a link, to {str(link.target)!r}. "
            f"If an administrator made it, set {SETTING}='{self._proposal([link])}' for all functions."
        )
        return (
            OperatorNeededError(detail, retry_after_s=LINK_RETRY_S) if link.affects_all else InvalidRequestError(detail)
        )

    def _proposal(self, refused: Sequence[OutwardLink]) -> str:
        """The setting that allows these links, too; many links in one folder usually lead into one."""
        wanted = [link.target if link.affects_all else _above(link.target) for link in refused]
        return json.dumps(list(dict.fromkeys((*self.allowed, *map(str, wanted)))), ensure_ascii=False)


def _real(path: Path) -> Path:
    """Resolve links; one that leads in a circle stays as it is."""
    return Path(os.path.realpath(path))


def _above(path: Path) -> Path:
    """The folder above, unless that is the file system's root, which would allow everything."""
    return path if path.parent == path.parent.parent else path.parent


def _is_within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """The names of links and folders in a folder, and whether each is a folder."""
    with os.scandir(folder) as entries:
        for entry in islice(entries, MOST_ENTRIES):
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder or entry.is_symlink():
                yield entry.name, is_folder


def _show(links: Sequence[OutwardLink]) -> str:
    shown = ", ".join(f"{link.key!r} → {str(link.target)!r}" for link in links[:MOST_SHOWN])
    return shown + (", …" if len(links) > MOST_SHOWN else "")
