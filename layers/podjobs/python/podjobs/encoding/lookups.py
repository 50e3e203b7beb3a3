"""Bounds how many places of a source are looked at before it is encoded, where each of them is paid for. Pure."""

from podjobs.contract.commands import MediaInput

LEAST_PLACES = 8
REMOTE_BYTES = 4 << 20
"""What one look over all of a source may fetch from an object storage."""
KEY_FRAME_S = 0.2
"""A key frame has about as many bytes as so many seconds of its video."""
SEEK_BYTES = 100 << 10
"""What a seek fetches besides."""


def most_places(source: MediaInput, size_bytes: int, duration_s: float | None, wanted: int) -> int:
    """How many places of a source may be looked at.

    Args:
        source: the file.
        size_bytes: of it.
        duration_s: of it; None if unknown.
        wanted: so many places are enough, and permitted if it is local.
    """
    if not source.is_remote or not duration_s:
        return wanted
    place_bytes = KEY_FRAME_S * size_bytes / duration_s + SEEK_BYTES
    return min(wanted, max(LEAST_PLACES, int(REMOTE_BYTES / place_bytes)))
