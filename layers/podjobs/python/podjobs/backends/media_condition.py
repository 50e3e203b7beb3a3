"""How the media root is: looked at when an operator asks, by every function that uses it.

Each function tells whether it sees the same media root as the others by a small file there, which holds an id: the
first one that looks writes it. A folder on which nothing is mounted has another one.
"""

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from podjobs.backends.storage import HASTE, open_storage
from podjobs.contract.errors import FileChangedError, MissingFileError
from podjobs.contract.examinations import MEDIA_ID, Finding, Verdict
from podjobs.contract.looks import MEDIA, Look, found
from podjobs.contract.media_urls import split_media_url
from podjobs.contract.ports.storage import Storage
from podjobs.settings import MediaSettings

ID_FILE = "podjobs-media-root.txt"
ID_TEXT = "pod-functions tells by this file whether all its programs see the same media root. It may be deleted.\n{}\n"
UPLOADS = "videos"
"""Pod's folder of uploads, unless its setting VIDEOS_DIR says otherwise."""
RECORDINGS = "opencast-files"
"""Pod's folder of what its studio has recorded; there is none before the first recording."""
SETTLE_S = 0.3
SAMPLES = 20
"""So many uploads are looked at."""
GIB = 1 << 30
SCRATCH_GB = 1.0
"""What temporary files of a few steps take; a file system in memory has not much more."""


def media_looks(settings: MediaSettings) -> list[Look]:
    """What to look at.

    Args:
        settings: where the media are.
    """
    storage = open_storage(settings.model_copy(update=HASTE))
    looks = [Look(MEDIA, "media root", lambda: _look_at_root(settings, storage))]
    url = split_media_url(settings.media_location)
    least_gb = settings.podjobs_disk_free_gb
    if url.scheme == "file":
        looks.append(_space_look("media root", Path(unquote(url.path)), least_gb))
    scratch = Path(getattr(settings, "podjobs_scratch", "") or tempfile.gettempdir())
    return [*looks, _space_look("scratch folder", scratch, min(least_gb, SCRATCH_GB))]


def _look_at_root(settings: MediaSettings, storage: Storage) -> Iterator[Finding]:
    if obstacle := storage.find_obstacle():
        yield found(MEDIA, "media root", obstacle)
        return
    url = split_media_url(settings.media_location)
    root = Path(unquote(url.path)) if url.scheme == "file" else None
    if root and (unreadable := find_unreadable(root)):
        yield found(MEDIA, "media root", unreadable)
        return
    facts = {MEDIA_ID: media_id(storage)}
    shown = str(root or settings.media_location)
    said = f"{shown} can be read and written, and Pod can delete there."
    verdict = Verdict.OK
    if root and not (root / UPLOADS).is_dir():
        verdict = Verdict.NOTE
        said += f" It has no folder {UPLOADS!r}: unless Pod has no video yet, this is not Pod's media root."
    yield Finding(subject=MEDIA, part="media root", verdict=verdict, said=said, facts=facts)
    if root and (closed := find_closed_recordings(root)):
        yield found(MEDIA, "studio recordings", closed)


def media_id(storage: Storage) -> str:
    """The id of a media root, given to it if it has none. Raises StepError."""
    try:
        return _read_id(storage)
    except MissingFileError:
        with contextlib.suppress(FileChangedError):  # another function was first
            storage.replace(ID_FILE, ID_TEXT.format(uuid.uuid4().hex).encode(), None)
    # another one may write in the same moment: the last one counts for both
    time.sleep(SETTLE_S)
    return _read_id(storage)


def _read_id(storage: Storage) -> str:
    with storage.open(ID_FILE) as file:
        return file.read().decode("utf-8", "replace").split()[-1]


def find_unreadable(root: Path) -> str:
    """What of the media this user cannot read: a sentence for the operator; empty: nothing, as far as was looked.

    Args:
        root: the media root, as it is mounted here.
    """
    if not os.access(root, os.R_OK):
        return f"The user {os.geteuid()} cannot list the media root {str(root)!r}. Give the user access to it."
    for upload in islice(_list_uploads(root), SAMPLES):
        if upload.is_file() and not os.access(upload, os.R_OK):
            return (
                f"The user {os.geteuid()} cannot read uploads such as {str(upload)!r}. Run this as a member of the "
                f"group {upload.stat().st_gid} that may read them, or set FILE_UPLOAD_PERMISSIONS = 0o644 in Pod."
            )
    return ""


def _list_uploads(root: Path) -> Iterator[Path]:
    """Recordings first: there are few of them."""
    yield from islice((root / RECORDINGS).glob("*/*.*"), SAMPLES // 2)
    yield from (root / UPLOADS).glob("*/*.*")


def find_closed_recordings(root: Path) -> str:
    """Whether composed recordings can be put where Pod looks for them: beside their sources.

    Args:
        root: the media root, as it is mounted here.

    Returns:
        A sentence for the operator; empty: they can, as far as was looked, or nothing was recorded yet.
    """
    for folder in islice((root / RECORDINGS).glob("*/"), SAMPLES):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            return (
                f"The user {os.geteuid()} cannot write into folders of studio recordings such as {str(folder)!r}, "
                f"where composed ones are put. Run this as a member of the group {folder.stat().st_gid}, and set "
                "FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o775 in Pod."
            )
    return ""


def _space_look(part: str, folder: Path, least_gb: float) -> Look:
    def find() -> list[Finding]:
        return [judge_space(part, folder, shutil.disk_usage(_existing(folder)), least_gb)]

    return Look(MEDIA, f"disk of the {part}", find)


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))


def judge_space(part: str, folder: Path, usage: "shutil._ntuple_diskusage", least_gb: float) -> Finding:
    """Whether there is room. Pure.

    Args:
        part: which folder it is.
        folder: where it is.
        usage: of its disk.
        least_gb: what should be free, in GiB.
    """
    free = f"{usage.free / GIB:.1f} GiB of {usage.total / GIB:.0f} are free"
    if usage.free >= least_gb * GIB:
        return found(MEDIA, f"disk of the {part}", "", f"{free}.")
    remedy = f"Make room, or lower PODJOBS_DISK_FREE_GB, {least_gb:g}"
    return found(MEDIA, f"disk of the {part}", f"Only {free} at {str(folder)!r}. {remedy}.")
