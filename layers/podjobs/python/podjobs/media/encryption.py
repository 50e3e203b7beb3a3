"""Recognises files whose content is encrypted: decoders would call them damaged."""

import json
from collections.abc import Iterable

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.tools import Tools
from podjobs.media.commands import input_argv
from podjobs.media.facts import MediaFacts
from podjobs.media.settings import SourceSettings

FORMATS = frozenset({"mp4", "matroska", "webm"})
"""ffprobe's names of containers that can hold encrypted streams. Source: ISO/IEC 23001-7; RFC 9559, 5.1.4.1.31."""
TAGS = frozenset({"encv", "enca", "drmi", "drms"})
"""Codes of encrypted streams; iTunes writes the ones with `drm`. Source: ISO/IEC 14496-12, 8.12."""
SIDE_DATA = "Encryption info"
"""ffprobe's name of what it finds beside an encrypted packet."""
PACKETS = 40
"""So many at the beginning of a file, of all its streams, are looked at."""
TIMEOUT_S = 60


def refuse_encrypted(source: MediaInput, facts: MediaFacts, tools: Tools, settings: SourceSettings) -> None:
    """Refuse a file whose picture or sound is encrypted.

    Args:
        source: the file.
        facts: what ffprobe reports about it.
        tools: runs ffprobe.
        settings: the ffprobe command.

    Raises:
        PermanentError: it is.
    """
    if FORMATS.isdisjoint(facts.format_name.split(",")):
        return
    argv = [settings.ffprobe_cmd, "-v", "error", "-read_intervals", f"%+#{PACKETS}", "-print_format", "json"]
    argv += ["-show_entries", "stream=index,codec_tag_string:packet=stream_index:packet_side_data=side_data_type"]
    argv += input_argv(source, settings, "max_pixels")
    limits = CommandLimits(cpu_s=TIMEOUT_S)
    output = tools.run(argv, timeout_s=TIMEOUT_S, access=Access((source,)), limits=limits)
    used = {stream.index for stream in (facts.video, facts.audio) if stream is not None}
    if not used.isdisjoint(encrypted_streams(output.decode("utf-8", "replace"))):
        raise PermanentError(
            f"The file {source.name!r} is encrypted (DRM): without its key nobody can play it. "
            "Upload a copy without protection.",
            kind=FailureKind.ENCRYPTED,
        )


def encrypted_streams(report: str) -> Iterable[int]:
    """The indexes of encrypted streams. Pure.

    Args:
        report: ffprobe's, as JSON, about streams and packets.
    """
    found = json.loads(report)
    tagged = {stream["index"] for stream in found.get("streams", []) if stream.get("codec_tag_string") in TAGS}
    return tagged | {
        packet["stream_index"]
        for packet in found.get("packets", [])
        if any(data.get("side_data_type") == SIDE_DATA for data in packet.get("side_data_list", []))
    }
