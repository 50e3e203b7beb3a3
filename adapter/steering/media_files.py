"""Files of the media root, as operators name them: by their paths in Pod, on this machine, or below the root."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.media_paths import MediaPaths


class UnknownFileError(Exception):
    """There is no such file in the media root; the message says what to do."""


@dataclass(frozen=True, slots=True)
class MediaFiles:
    """The media root, as far as it can be looked at from here."""

    paths: MediaPaths
    folder: Path | None
    """Where it is on this machine; None: it is not here, and nothing is known of its files."""

    @classmethod
    def at(cls, media_root: str, media_url: str) -> Self:
        """Look for the media root.

        Args:
            media_root: MEDIA_ROOT.
            media_url: MEDIA_URL; empty, or Pod's own, which is no `file:///…`: the root is where Pod sees it.
        """
        paths, url = MediaPaths(media_root), urlsplit(media_url)
        if url.scheme == "s3":
            return cls(paths, None)
        folder = Path(unquote(url.path) if url.scheme == "file" else media_root)
        try:
            # an empty folder is one on which nothing is mounted
            return cls(paths, folder if any(folder.iterdir()) else None)
        except OSError:
            return cls(paths, None)

    def key_of(self, name: str, *, unchecked: bool = False) -> str:
        """Find the key of a file.

        Args:
            name: its absolute path as Pod or this machine sees it, or its path relative to the media root.
            unchecked: whether it may be missing.

        Raises:
            UnknownFileError: it is outside the media root, or there is no such file.
        """
        key = self._inside(name)
        if unchecked or self.folder is None:
            return key
        path = self.folder / key
        try:
            is_there, is_folder = path.is_file(), path.is_dir()
        except OSError:  # only the functions may look
            return key
        if is_folder:
            raise UnknownFileError(f"{str(path)!r} is a folder. Name the file in it.")
        if not is_there:
            raise UnknownFileError(
                f"There is no file {str(path)!r}. Correct the path; if the media are elsewhere, and only the functions "
                "see them, add --unchecked."
            )
        return key

    def _inside(self, name: str) -> str:
        inside = name if name.startswith("/") else self.paths.pod_path(name)
        if self.folder and name.startswith(f"{self.folder}/"):
            inside = self.paths.pod_path(name.removeprefix(f"{self.folder}/"))
        try:
            return self.paths.key_of(inside)
        except InvalidRequestError as error:
            raise UnknownFileError(
                f"{name[:200]!r} is not a file in Pod's media root, MEDIA_ROOT={self.paths.pod_root}. Name one by its "
                "absolute path, as the Pod server sees it, or relative to the media root: videos/…/lecture.mp4."
            ) from error
