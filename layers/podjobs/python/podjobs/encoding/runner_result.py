"""Arranges what was encoded as a runner client's result: names, playlists, a log, checksums."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from podjobs.contract.errors import MissingFileError
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.runner_places import checksums, result_folder
from podjobs.encoding.context import EncodingContext
from podjobs.encoding.deliverables import LOG_NAME, base_of, renamed_playlist, runner_names

RENAMED_FOLDER = "renamed"
"""In the work folder: what has another content, too."""
PLAYLIST = ".m3u8"
BLOCK_BYTES = 1 << 20
FILES_AT_ONCE = 4
Groups = Sequence[Mapping[str, Key]]
"""Files that are published in order within a group: name → key of the work file."""


def arrange(context: EncodingContext, groups: Groups, log: Sequence[str]) -> list[dict[str, Key]]:
    """Give the files the names that a runner client expects.

    Args:
        context: the job, and the results of its steps.
        groups: with the names of Pod's own folder.
        log: sentences about what is missing, for the log file.

    Returns:
        The groups with the client's names; what it would not import is missing.
    """
    base, work = base_of(context.job), context.work
    arranged: list[dict[str, Key]] = []
    with work.writing(RENAMED_FOLDER) as folder:
        for group in groups:
            names = runner_names(group, context.results.images, base)
            files = {names[name]: key for name, key in group.items() if name in names}
            for name in (name for name in names if name.endswith(PLAYLIST)):
                with work.storage.open(group[name]) as file:
                    playlist = renamed_playlist(file.read().decode(), names)
                (folder / names[name]).write_text(playlist, encoding="utf-8", newline="")
                files[names[name]] = work.key(f"{RENAMED_FOLDER}/{names[name]}")
            arranged.append(files)
        (folder / LOG_NAME).write_text("".join(f"{sentence}\n" for sentence in _say(context, log)), encoding="utf-8")
    return [*arranged, {LOG_NAME: work.key(f"{RENAMED_FOLDER}/{LOG_NAME}")}]


def _say(context: EncodingContext, log: Sequence[str]) -> list[str]:
    results = context.results
    notes = [*results.audio.notes, *results.images.notes]
    return [f"Job {context.job.id}", *context.recipe.log, *notes, *log] + ["Encoded and verified."] * (not log)


def write_checksums(context: EncodingContext, groups: Groups, more: Mapping[str, bytes]) -> None:
    """Write, beside the result, the SHA-256 of each of its files; before they are published.

    Args:
        context: the job.
        groups: the files.
        more: contents of other files.
    """
    job, storage = context.job, context.work.storage
    files = [(name, key) for group in groups for name, key in group.items()]

    def digest(file: tuple[str, Key]) -> str:
        name, key = file
        try:
            return digest_file(storage, key)
        except MissingFileError:
            # an earlier attempt has published it
            return digest_file(storage, f"{result_folder(job.id)}/{name}")

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        found = dict(zip((name for name, _ in files), pool.map(digest, files), strict=True))
    found |= {name: hashlib.sha256(content).hexdigest() for name, content in more.items()}
    storage.write(checksums(job.id), json.dumps(found, indent=1, sort_keys=True).encode())


def digest_file(storage: Storage, key: Key) -> str:
    """The SHA-256 of a file. Raises MissingFileError."""
    digest = hashlib.sha256()
    with storage.open(key) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
