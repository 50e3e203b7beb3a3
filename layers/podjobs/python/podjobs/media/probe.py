"""Probes a source and refuses what cannot be decoded, before any work is done."""

import json
import re
from typing import Any

from podjobs.contract.commands import Access, CommandLimits, MediaInput
from podjobs.contract.errors import OutputTooLongError, PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage
from podjobs.contract.ports.tools import Tools
from podjobs.contract.redaction import redact
from podjobs.media.bounds import bound_metadata
from podjobs.media.codecs import UNKNOWN_CODECS, add_codec, name_codecs
from podjobs.media.commands import ACCEPTED_FORMATS, input_argv
from podjobs.media.encryption import refuse_encrypted
from podjobs.media.facts import MediaFacts
from podjobs.media.openable import UnacceptedCodecError, select_openable
from podjobs.media.report import entries_argv, read_facts
from podjobs.media.settings import SourceSettings

PROBE_TIMEOUT_S = 60
ANALYZED_S = 60
"""How late the streams of a file may begin; with ffprobe's own 5 s, a later picture would appear to begin at 0."""
PICTURES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
"""How files begin that are pictures; WebP is a RIFF file, like WAV and AVI."""
LONGEST_REPORT_BYTES = 1 << 20
"""ffprobe's report takes some 2,000 bytes for each stream and 200 for each chapter."""
TEXTS_TOO_LONG = (
    "The file's tags and chapters are so long that they were not read: there are no chapters, and the languages of "
    "subtitles are unknown."
)
HIGHEST_FRAME_RATE = 480
"""No camera and no screen has more; a file that claims to have more was made to exhaust us."""


def probe_source(tools: Tools, storage: Storage, settings: SourceSettings, key: Key) -> MediaFacts:
    """Probe a source.

    Args:
        tools: runs ffprobe.
        storage: contains the source.
        settings: the ffprobe command.
        key: the source.

    Returns:
        The facts about a source that has video or audio.

    Raises:
        PermanentError: it is empty, not a media file, encrypted, in a format that is not accepted, or has neither video
            nor audio.
        RetryableError: it does not exist (yet).
    """
    source = storage.input_of(key)
    if storage.size_bytes(key) == 0:
        raise PermanentError(f"The file {source.name!r} is empty (0 bytes). Upload it again.", kind=FailureKind.EMPTY)
    try:
        facts = bound_metadata(_read(source, tools, settings))
    except PermanentError as error:
        facts = _select(tools, storage, settings, key, error)
    _check_facts(source.name, facts, settings)
    refuse_encrypted(source, facts, tools, settings)
    return facts


def _select(tools: Tools, storage: Storage, settings: SourceSettings, key: Key, refusal: PermanentError) -> MediaFacts:
    """Select the streams that can be used where ffprobe refuses a file because of one; else explain the refusal."""
    source = storage.input_of(key)
    try:
        # what takes too long to read once is not read again
        facts = None if "exceeded" in refusal.context else select_openable(tools, storage, settings, key)
    except UnacceptedCodecError as error:
        detail = _explain_codec(error.stream, source.name, error.codec, settings)
        raise PermanentError(detail, kind=FailureKind.FORMAT, **refusal.context) from refusal
    if facts is None:
        with storage.open(key) as file:
            beginning = file.read(12)
        if detail := _explain_picture(source.name, beginning):
            raise PermanentError(detail, kind=FailureKind.NO_MEDIA, **refusal.context) from refusal
        kind, detail = _explain_refusal(source, refusal, settings)
        raise PermanentError(detail, kind=kind, **refusal.context) from refusal
    return facts


def _read(source: MediaInput, tools: Tools, settings: SourceSettings) -> MediaFacts:
    """Let ffprobe report; if the file's texts are so long that its report is, without them."""
    try:
        return read_facts(_report(source, tools, settings, texts=True))
    except OutputTooLongError:
        facts = read_facts(_report(source, tools, settings, texts=False))
        return facts.model_copy(update={"notes": (*facts.notes, TEXTS_TOO_LONG)})


def _report(source: MediaInput, tools: Tools, settings: SourceSettings, *, texts: bool) -> dict[str, Any]:
    argv = [settings.ffprobe_cmd, "-v", "error", "-hide_banner"]
    argv += ["-analyzeduration", str(ANALYZED_S * 1_000_000), *entries_argv(texts=texts)]
    # with a limit on pixels, ffprobe would not report the size that must be refused
    argv += input_argv(source, settings, "max_pixels")
    limits = CommandLimits(cpu_s=PROBE_TIMEOUT_S)
    output = tools.run(
        argv,
        timeout_s=PROBE_TIMEOUT_S,
        access=Access((source,)),
        limit_bytes=LONGEST_REPORT_BYTES,
        limits=limits,
    )
    return dict(json.loads(output.decode("utf-8", "replace")))


def _check_facts(name: str, facts: MediaFacts, settings: SourceSettings) -> None:
    """Refuse what cannot or must not be decoded."""
    video, audio = facts.video, facts.audio
    if video is None and audio is None:
        detail = f"The file {name!r} has neither a video nor an audio stream. Upload one that has either."
        raise PermanentError(detail, kind=FailureKind.NO_MEDIA)
    if facts.streams > settings.podjobs_max_streams:
        raise PermanentError(_too_many_streams(name, settings), kind=FailureKind.TOO_LARGE)
    for kind, stream in (("video", video), ("audio", audio)):
        if stream is not None and stream.codec not in settings.podjobs_codecs:
            raise PermanentError(_explain_codec(kind, name, stream.codec, settings), kind=FailureKind.FORMAT)
    if video is None:
        return
    if facts.format_name == "gif" and video.frames == 1:
        raise PermanentError(_explain_picture(name, b"GIF8"), kind=FailureKind.NO_MEDIA)
    if not (video.width_px and video.height_px):
        raise PermanentError(
            f"The video stream of {name!r} has no picture size: the file is damaged, or claims a size that no decoder "
            "accepts. Convert it and upload it again.",
            kind=FailureKind.DAMAGED,
        )
    if video.width_px * video.height_px > settings.podjobs_max_pixels:
        raise PermanentError(
            f"The picture of {name!r} has {video.width_px} × {video.height_px} pixels, at most "
            f"{settings.podjobs_max_pixels} in all are accepted. Raise PODJOBS_MAX_PIXELS if that is right.",
            kind=FailureKind.TOO_LARGE,
        )
    if video.frame_rate > HIGHEST_FRAME_RATE:
        raise PermanentError(
            f"The file {name!r} claims {video.frame_rate:g} frames per second; no camera records that many. "
            "Convert it and upload it again.",
            kind=FailureKind.DAMAGED,
        )


def _explain_codec(kind: str, name: str, codec: str, settings: SourceSettings) -> str:
    if codec in UNKNOWN_CODECS:
        return f"The {kind} of {name!r} has a codec that ffmpeg does not know. Convert it and upload it again."
    return (
        f"The {kind} of {name!r} is coded as {codec!r}, which is not an accepted codec. Convert it and upload it "
        f"again, or set PODJOBS_CODECS to '{add_codec(settings.podjobs_codecs, codec)}'."
    )


def _explain_picture(name: str, beginning: bytes) -> str:
    """A refusal if a file begins like a picture, else nothing."""
    kinds = [kind for mark, kind in PICTURES.items() if beginning.startswith(mark)]
    if beginning.startswith(b"RIFF") and beginning.endswith(b"WEBP"):
        kinds = ["WebP"]
    if not kinds:
        return ""
    return (
        f"The file {name!r} is a picture ({kinds[0]}), not a video or a sound; of pictures, only GIF animations are "
        "accepted. Convert it to a video and upload that."
    )


def _too_many_streams(name: str, settings: SourceSettings) -> str:
    return (
        f"The file {name!r} has more than {settings.podjobs_max_streams} streams. "
        "Raise PODJOBS_MAX_STREAMS if that is right."
    )


def _explain_refusal(source: MediaInput, error: PermanentError, settings: SourceSettings) -> tuple[FailureKind, str]:
    name = source.name
    said = str(error.context.get("stderr", ""))
    if "exceeded" in error.context:
        return FailureKind.OTHER, f"The file {name!r} takes too long to read: {error.detail}"
    if decoder := re.search(r"Codec \((\w+)\) not on whitelist", said):
        (codec,) = name_codecs([decoder[1]])
        return FailureKind.FORMAT, _explain_codec("video or audio", name, codec, settings)
    if "exceeds max_streams" in said:
        return FailureKind.TOO_LARGE, _too_many_streams(name, settings)
    if "whitelist" in said.lower():
        return FailureKind.FORMAT, (
            f"The format of the file {name!r} is not accepted. "
            f"Accepted formats: {', '.join(ACCEPTED_FORMATS)}. Convert it and upload it again."
        )
    # ffprobe's lines, without the memory addresses and the local path or URL at their beginning
    where = "|".join(map(re.escape, (redact(source.url), name)))
    reasons = dict.fromkeys(
        re.sub(rf"^\[\w+(,\w+)* @ 0x[0-9a-f]+\] |({where}): ", "", line) for line in said.splitlines()
    )
    return FailureKind.UNREADABLE, (
        f"The file {name!r} is not a media file that can be read, or it is damaged ({'; '.join(reasons)}). "
        "Check that it plays, and upload it again."
    )
