"""Looks into a source and refuses what cannot be encoded, before any work is done."""

import json
import re

from podjobs.contract.errors import PermanentError
from podjobs.contract.ports import Key, Storage, Tools
from podjobs.encoding.media import MediaFacts, read_facts
from podjobs.function_settings import EncodingSettings

PROBE_TIMEOUT_S = 60
ACCEPTED_FORMATS = ("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "mp3", "wav", "ogg", "flac")
"""Demuxers that ffmpeg may use. Playlists and scripts (hls, concat, dash, …) read other files and stay out."""
READ_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(ACCEPTED_FORMATS),
}
"""ffmpeg input options for every source: whatever is in it, it opens no other file and no connection."""


def probe_source(tools: Tools, storage: Storage, settings: EncodingSettings, key: Key) -> MediaFacts:
    """Find out what a source is.

    Args:
        tools: runs ffprobe.
        storage: holds the source.
        settings: names ffprobe.
        key: the source.

    Returns:
        Facts of a source that has video or audio.

    Raises:
        PermanentError: it is empty, no media file, of a format that is not accepted, or has neither video nor audio.
        RetryableError: it is not there (yet).
    """
    name = storage.pod_path(key)
    source = storage.input_of(key)
    if storage.size_bytes(key) == 0:
        raise PermanentError(f"The file {name!r} is empty (0 bytes). Upload it again.")
    argv = [settings.ffprobe_cmd, "-v", "error", "-hide_banner"]
    for option, value in READ_OPTIONS.items():
        argv += [f"-{option}", value]
    argv += ["-show_format", "-show_streams", "-print_format", "json", "-i", source]
    try:
        output = tools.run(argv, timeout_s=PROBE_TIMEOUT_S)
        facts = read_facts(json.loads(output))
    except PermanentError as error:
        raise PermanentError(_explain_refusal(name, source, error), **error.context) from error
    if facts.video is None and facts.audio is None:
        raise PermanentError(f"The file {name!r} has neither a video nor an audio stream.")
    if facts.video is not None and not (facts.video.width_px and facts.video.height_px):
        raise PermanentError(f"The video stream of {name!r} has no picture size: the file is damaged.")
    return facts


def _explain_refusal(name: str, source: str, error: PermanentError) -> str:
    said = str(error.context.get("stderr", ""))
    if "whitelist" in said.lower():
        return (
            f"The file {name!r} is of a format that is not accepted. "
            f"Accepted are: {', '.join(ACCEPTED_FORMATS)}. Convert it and upload it again."
        )
    # ffprobe's lines without the addresses and the local path they begin with
    reasons = dict.fromkeys(
        re.sub(r"^\[\w+(,\w+)* @ 0x[0-9a-f]+\] ", "", line).replace(f"{source}: ", "") for line in said.splitlines()
    )
    return f"The file {name!r} is no media file that can be read, or it is damaged ({'; '.join(reasons)})."
