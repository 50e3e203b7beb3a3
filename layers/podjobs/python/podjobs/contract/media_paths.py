"""Maps Pod's absolute paths to keys of the media storage and back. Pure: links are resolved by the backends."""

import posixpath
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from podjobs.contract.errors import InvalidRequestError

LONGEST_CHARS = 4096
"""Source: PATH_MAX of Linux."""


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("must be an absolute path without NUL characters")
    return path


def _inside(key: str) -> str:
    leaves = key.startswith("/") or key.split("/", maxsplit=1)[0] in {"..", "."}
    if leaves or "\0" in key or posixpath.normpath(key) != key:
        raise ValueError("must be a path relative to the media root that does not leave it")
    return key


PodPath = Annotated[str, Field(min_length=2, max_length=LONGEST_CHARS), AfterValidator(_absolute)]
"""An absolute path as the Pod server sees it."""
Key = Annotated[str, Field(min_length=1, max_length=LONGEST_CHARS), AfterValidator(_inside)]
"""A media file's path relative to the media root, with `/` between its parts."""


@dataclass(frozen=True)
class MediaPaths:
    """Pod's media root, as the Pod server sees it."""

    pod_root: str
    """Pod's MEDIA_ROOT, absolute."""

    def key_of(self, pod_path: str) -> str:
        """Map an absolute path as Pod sees it to a key.

        Raises:
            InvalidRequestError: the path is outside the media root; a retry does not help.
        """
        root = posixpath.normpath(self.pod_root)
        prefix = root.rstrip("/") + "/"
        if "\0" in pod_path or len(pod_path) > LONGEST_CHARS:
            raise InvalidRequestError(f"The path {pod_path[:200]!r} is too long or contains a NUL character.")
        normal = posixpath.normpath(pod_path)
        if not normal.startswith(prefix) or normal == prefix:
            raise InvalidRequestError(
                f"The path {pod_path!r} is outside Pod's media root {root!r}. "
                "Set MEDIA_ROOT to the media root as the Pod server sees it, or correct the request.",
                path=pod_path,
            )
        return normal.removeprefix(prefix)

    def pod_path(self, key: str) -> str:
        """Map a key to the absolute path as Pod sees it."""
        return posixpath.join(posixpath.normpath(self.pod_root), key)
