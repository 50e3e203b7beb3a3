"""Where the files of a job from a runner client are in the media storage. Pure."""

import posixpath

from podjobs.contract.media_paths import Key

FOLDER = "runner"
"""Of all such jobs; each has a folder of its own in it, which is removed as a whole when its results expire."""


def job_folder(job_id: str) -> Key:
    """The folder of one job."""
    return posixpath.join(FOLDER, job_id)


def source_folder(job_id: str) -> Key:
    """Where its sources are fetched to."""
    return posixpath.join(FOLDER, job_id, "source")


def result_folder(job_id: str) -> Key:
    """What its client may fetch, and nothing else."""
    return posixpath.join(FOLDER, job_id, "result")


def call_mark(job_id: str) -> Key:
    """The memory of the calls to its client."""
    return posixpath.join(FOLDER, job_id, "call.json")


def checksums(job_id: str) -> Key:
    """The SHA-256 of each file of the result: a JSON object, name → hexadecimal digits."""
    return posixpath.join(FOLDER, job_id, "checksums.json")
