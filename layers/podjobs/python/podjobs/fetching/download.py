"""Downloads one file: part after part into the job's work folder, which are then joined at the file's place.

A part ends after a minute, so that whoever is killed loses no more. Between two parts, two attempts and two steps,
nothing has to be remembered but the parts themselves (parts.py).
"""

import posixpath

from podjobs.contract.errors import RetryableError
from podjobs.contract.jobs import RemoteFile
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.web import Web
from podjobs.fetching.parts import Kept, find_kept
from podjobs.fetching.receiving import Limits, Receiving, shown
from podjobs.media.publication import Publication

RECEIVING = "receiving"
"""Name of a part until its end."""


class Downloads:
    """Fetches the files of one job."""

    def __init__(self, job_id: str, web: Web, storage: Storage, limits: Limits) -> None:
        """Take what all files have in common.

        Args:
            job_id: of the job, whose work folder is open.
            web: where the files come from.
            storage: where they are put.
            limits: of time and size.
        """
        self._job_id, self._web, self._storage, self._limits = job_id, web, storage, limits

    def fetch(self, remote: RemoteFile, folder: str) -> bool:
        """Fetch a file, or as much of it as the time allows.

        Args:
            remote: the file.
            folder: of its parts, in the work folder.

        Returns:
            Whether it is at its place.

        Raises:
            PermanentError: it cannot be fetched, or is too large.
            NotNowError: its server is not available.
            RetryableError: the job has ended; or so little comes in so long a time that nothing is gained.
        """
        storage, place = self._storage, self._storage.work_key(self._job_id, folder)
        if storage.exists(remote.key):
            return True
        kept = find_kept((key, storage.size_bytes(key)) for key in storage.list_files(place))
        before = kept
        while not kept.is_complete:
            if self._limits.are_over:
                return False
            more = self._fetch_part(remote, place, kept)
            if more is None and kept == before:
                raise RetryableError(f"{shown(remote.url)} comes too slowly: a whole step has not gained anything.")
            kept = more or kept
        if self._limits.are_over and len(kept.keys) > 1:
            return False
        self._put(remote.key, kept)
        return True

    def _fetch_part(self, remote: RemoteFile, place: Key, kept: Kept) -> Kept | None:
        """Fetch one more part. Returns all that is kept then; None: what came before the end is not worth it."""
        part = Receiving(remote.url, kept, self._limits, self._web)
        with self._storage.writing(place) as folder:
            part.run(folder / RECEIVING)
            name = part.kept.name_next()
            if part.is_worth_keeping:
                (folder / RECEIVING).rename(folder / name)
            else:
                (folder / RECEIVING).unlink()
        if part.is_worth_keeping:
            return part.kept.with_part(posixpath.join(place, name), part.size_bytes)
        if part.trouble and not self._limits.are_over:
            raise part.trouble
        if not part.can_continue:
            raise RetryableError(
                f"{shown(remote.url)} could not be fetched in one step ({part.size_bytes} bytes came), and its server "
                "does not send the rest of a file. Have it support ranges and name versions (ETag or Last-Modified)."
            )
        return None

    def _put(self, key: Key, kept: Kept) -> None:
        """Make the file of its parts, unless the job has ended."""
        Publication(self._storage, self._job_id).check()
        self._storage.join(kept.keys, key)
        if not self._storage.has_work(self._job_id):
            self._storage.delete(key)
            raise RetryableError(f"The job {self._job_id} has ended or was superseded: what was fetched is removed.")
